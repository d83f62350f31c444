/** A stage of the way that text takes to its reader. */

/**
 * A stage may hold back a part of the text until more of it has arrived. It is pure: what it holds back, and what it knows of
 * the text before, is in the state that it returns.
 */
export interface Stage<Input, Output, State> {
	/** Before the first input. */
	readonly start: State;
	/** What an input releases, and the state after it. Linear: no state makes a later step search a text again. */
	step(state: State, input: Input): Step<Output, State>;
	/** What is still held back, at the end of the text. */
	end(state: State): Output;
}

/** The output of a step, and the state after it. */
export type Step<Output, State> = readonly [released: Output, state: State];
