/** Types of the planted bugs. */

/** One change of a text. Places count from 0. */
export interface Change {
	start: number;
	/** Exclusive. */
	end: number;
	text: string;
}

/** A change that a test should notice. */
export interface Bug extends Change {
	/** From the root. */
	file: string;
	/** What was done to the code. */
	kind: string;
	/** From 1. */
	line: number;
}

/** A part of a source that runs as a whole, up to an error in it. Places count from 0. */
export interface Region {
	start: number;
	/** Exclusive. */
	end: number;
	/** How a mark is put before it. */
	form: 'statement' | 'body' | 'expression';
}

/** What a run of tests tells of a test file. */
export interface TestFile {
	/** From the root. */
	file: string;
	seconds: number;
	/** The regions of each source that it ran, by their numbers. */
	ran: Record<string, number[]>;
	/** Names of tests that fail without any bug. */
	failed: string[];
}

/** What became of a planted bug. */
export interface Outcome {
	bug: Bug;
	/** Number of test files that run its place. */
	reached: number;
	/** Tests that failed, with their file; all of them only if every test was run. */
	seenBy: string[];
	/** Whether the tests were ended by the limit, or not all were run. */
	isPartial: boolean;
}
