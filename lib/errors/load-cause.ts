/**
 * What a server says about a model that it could not load, if it names the cause: its memory, its disk, or its version. Other
 * causes must not be suggested then.
 *
 * Sources: Ollama (server/sched.go, server/images.go), LocalAI (core/services/nodes), Lemonade (src/cpp/server/model_manager.cpp),
 * LM Studio, Python and Go (errno ENOSPC).
 */

/** What was missing for a model. */
export type LoadCause = 'memory' | 'disk' | 'version';

/** Sentences that are about a model whatever the type of an error is. */
export const LOAD_CAUSE_PATTERNS: readonly RegExp[] = [
	/\bmodel \(?\d[\d.,]* ?[KMGT]i?B\)? is too large for (?:this|the|your) (?:system|machine|device|GPU)\b/i,
	/\bmodel (?:\S{1,200} )?requires (?:\w{1,20} )?\d[\d.,]* ?[KMGT]i?B of (?:memory|V?RAM)\b/i,
	/\benough (?:free )?disk(?: space)? for (?:the |this )?model\b/i,
	/\bmodel\b.{0,100}\brequires a newer version of\b/i,
	/\bmodel (?:loading )?(?:was )?(?:stopped|aborted) due to insufficient (?:system )?(?:resources|memory)\b/i,
	/\bmodel (?:\S{1,200} )?(?:may be |is )?incompatible with your version\b|\bno longer compatible with your version\b/i,
];

/** In an error about a model. */
const CAUSES: ReadonlyArray<readonly [cause: LoadCause, words: RegExp]> = [
	[
		'disk',
		/\bno space left on device\b|\b(?:enough|insufficient|out of|free) (?:free )?disk\b|\bdisk (?:is )?full\b/i,
	],
	[
		'version',
		/\b(?:in|not |no longer )compatible with your version\b|\brequires (?:a )?newer version\b|\bunsupported model version\b/i,
	],
	[
		'memory',
		/\b(?:more|enough|insufficient) (?:\w{1,20} )?(?:memory|V?RAM|system resources)\b|\bof (?:memory|V?RAM)\b|\bout[ -]of[ -]memory\b|\btoo large for (?:this|the|your) (?:system|machine|device|GPU)\b/i,
	],
];

/** @returns the cause that the message of a failed load names; undefined if it names none, or only guesses one */
export function findLoadCause(message: string): LoadCause | undefined {
	if (GUESS.test(message)) return undefined;
	return CAUSES.find(([, words]) => words.test(message))?.[0];
}

/** Ollama lists what may have happened: "this may be due to resource limitations or an internal error". */
const GUESS = /\b(?:may|might|could) be (?:due to|caused by)\b/i;
