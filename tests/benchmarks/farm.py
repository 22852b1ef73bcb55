def farm(site, size): raise NotImplementedError
