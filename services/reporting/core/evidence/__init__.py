"""What a status rests on: facts and alerts of one duty, the sentence that explains it, differences of two states."""
