import type { Stage } from '../../../lib/stage';

/** A stage with its state. */
export interface RunningStage<Input, Output> {
	push(input: Input): Output;
	end(): Output;
}

/**
 * Passes one input after another through a stage, and checks that it is pure: each state is frozen, and each step is taken
 * twice.
 */
export function runStage<Input, Output, State>(
	stage: Stage<Input, Output, State>,
	start: State = stage.start,
): RunningStage<Input, Output> {
	let state = Object.freeze(start);
	return {
		push(input) {
			stage.step(state, input);
			const [released, next] = stage.step(state, input);
			state = Object.freeze(next);
			return released;
		},
		end() {
			stage.end(state);
			return stage.end(state);
		},
	};
}
