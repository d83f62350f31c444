/** Written by reword.test.ts: what still depends on the words of a server. */
import type { KnownCounts, KnownRow } from './support/reword/known-rows';

export const KNOWN: readonly KnownRow[] = [];

/** How many of the public error responses fail. */
export const KNOWN_PUBLIC: KnownCounts = {
	'sentence: modelLoadFailed has a title of its own': 1,
};
