"""What is done with storyboards: taken, read, proposed, corrected, confirmed, deleted."""
