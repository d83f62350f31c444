/** A router whose list says any states of a model, one after the other: when an action sends its command, and when it has ended. */
import fc from 'fast-check';

import { runModelAction } from '../../../../lib/servers/model-actions';
import { examples } from '../../../support/jest/properties';
import { LLAMA, list, serve } from '../json-server';

type Action = 'load' | 'unload';

/** All that a router reports, and what it may report one day. */
const STATES = [
	'unloaded',
	'downloaded',
	'loading',
	'loaded',
	'sleeping',
	'failed',
	'downloading',
	'strange',
] as const;
const ACTIVE: readonly string[] = ['loading', 'loaded', 'sleeping'];
/** With which an action has ended, well or not. */
const FINAL: Record<Action, readonly string[]> = {
	load: ['loaded', 'sleeping', 'failed'],
	unload: ['unloaded', 'downloaded', 'failed'],
};

interface Played {
	action: Action;
	wait: boolean;
	before: string;
	/** Those after the command, until one is final. */
	later: string[];
}

const played = fc.constantFrom<Action>('load', 'unload').chain((action) =>
	fc
		.record({
			wait: fc.boolean(),
			before: fc.constantFrom(...STATES),
			open: fc.array(fc.constantFrom(...STATES.filter((state) => !FINAL[action].includes(state))), {
				maxLength: 3,
			}),
			last: fc.constantFrom(...FINAL[action]),
		})
		.map(({ open, last, ...rest }): Played => ({ action, ...rest, later: [...open, last] })),
);

/** The state in which the action ends; an error if the process of the model has failed. */
function findExpected({ action, wait, before, later }: Played): string {
	const last = later.at(-1)!;
	const isActive = ACTIVE.includes(before);
	if (action === 'load') {
		if (!wait) return isActive ? before : 'loading';
		return last === 'failed' ? 'modelLoadFailed' : last;
	}
	if (!isActive) return before;
	// Its process is gone, which is what was asked for.
	return wait && last !== 'failed' ? last : 'unloaded';
}

/** A failed process is told as `failed`, and so that the model is not loaded. */
const toStatus = (state: string): object =>
	state === 'failed' ? { value: 'unloaded', failed: true, exit_code: 1 } : { value: state };

test('any states of a model, while it is loaded or unloaded', async () => {
	await fc.assert(
		fc.asyncProperty(played, async (given) => {
			const { action, wait, before, later } = given;
			let lists = 0;
			const { server, requested } = await serve(
				{
					'GET /v1/models': () => {
						lists++;
						// Nobody needs to look again.
						if (lists - 2 > later.length) return [410, { error: { message: 'It has ended' } }];
						// The type of the server, and the state before the action.
						const state = lists <= 2 ? before : (later[lists - 3] ?? later.at(-1)!);
						return list({ id: 'a', owned_by: 'llamacpp', status: toStatus(state) });
					},
					[`POST /models/${action}`]: { success: true },
				},
				LLAMA,
			);
			const ended = await runModelAction(server, action, {
				model: 'a',
				wait,
				timeoutMs: 60_000,
				// Half a second between two looks is long for a test.
				...{ pauseMs: 1 },
			}).then(
				(result) => ({ before: result.before, state: result.state }),
				({ type }: { type: string }) => ({ before, state: type }),
			);
			expect(ended).toEqual({ before, state: findExpected(given) });
			const isNeeded = ACTIVE.includes(before) === (action === 'unload');
			expect(requested().filter((line) => line.startsWith('POST'))).toEqual(
				isNeeded ? [`POST /models/${action}`] : [],
			);
		}),
		examples(100),
	);
});
