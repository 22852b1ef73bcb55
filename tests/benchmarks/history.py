def history(site, size): raise NotImplementedError
