/** A router whose list says any states of a model that it downloads, one after the other: when the download has ended, and how. */
import fc from 'fast-check';

import { runModelAction } from '../../../../lib/servers/model-actions';
import { useClock } from '../../../guarantees/support/fake-clock';
import { examples } from '../../../support/jest/properties';
import { LLAMA, list, serve } from '../json-server';

const clock = useClock();

const MODEL = 'user/repo:Q4_K_M';
/** Seconds between two looks, and after which a model has to be in the list. */
const PAUSE = 2;
const MAX_LISTING_DELAY = 30;

type State = 'missing' | 'downloading' | 'failed' | 'unloaded' | 'loaded';

const state = fc.constantFrom<State>('missing', 'downloading', 'failed', 'unloaded', 'loaded');

/** What a look decides: the state, the type of an error, or nothing yet. */
function decide(states: readonly State[], look: number): string | undefined {
	const current = states[Math.min(look, states.length - 1)]!;
	const wasListed = states.slice(0, look + 1).includes('downloading');
	if (current === 'downloading') return undefined;
	if (current === 'missing')
		return wasListed || look * PAUSE > MAX_LISTING_DELAY ? 'serverError' : undefined;
	// A model that failed before the download was seen failed earlier.
	return current !== 'failed' || wasListed ? 'success' : undefined;
}

test('any states of a model, while it is downloaded', async () => {
	const cases = fc.record({
		states: fc.array(state, { minLength: 1, maxLength: 4 }),
		timeoutMs: fc.constantFrom(0, 7_000, 40_000),
	});
	await fc.assert(
		fc.asyncProperty(cases, async ({ states, timeoutMs }) => {
			const limit = timeoutMs || Infinity;
			const looks = [...Array(70).keys()];
			const last = looks.find((look) => decide(states, look) !== undefined) ?? Infinity;
			fc.pre(last < Infinity || limit < Infinity);
			let looked = 0;
			let isAsked = false;
			const shown: string[] = [];
			const { server } = await serve(
				{
					'GET /v1/models': () => {
						const current = isAsked ? states[Math.min(looked++, states.length - 1)]! : 'missing';
						const status =
							current === 'failed' ? { value: 'unloaded', failed: true } : { value: current };
						return list(
							{ id: 'chat', owned_by: 'llamacpp', status: { value: 'loaded' } },
							...(current === 'missing' ? [] : [{ id: MODEL, owned_by: 'llamacpp', status }]),
						);
					},
					'POST /models': () => {
						isAsked = true;
						return { success: true };
					},
				},
				LLAMA,
			);
			const work = runModelAction(server, 'pull', {
				model: 'user/repo',
				wait: true,
				timeoutMs,
				onProgress: async ({ status }) => void shown.push(status),
			}).then(
				(result) => result.state,
				({ type }: { type: string }) => type,
			);
			const isInTime = last * PAUSE * 1_000 < limit;
			expect(await clock.passUntil(work)).toBe(isInTime ? decide(states, last) : 'idleTimeout');
			if (isInTime) expect(looked).toBe(last + 1);
			const downloading = looks
				.slice(0, looked)
				.filter((look) => states[Math.min(look, states.length - 1)] === 'downloading');
			expect(shown).toEqual(downloading.map(() => 'downloading user/repo'));
		}),
		examples(30),
	);
});

test('a progress that cannot be shown ends the wait', async () => {
	const downloading = { id: MODEL, owned_by: 'llamacpp', status: { value: 'downloading' } };
	const answers = { 'GET /v1/models': list(downloading), 'POST /models': { success: true } };
	const { server } = await serve(answers, LLAMA);
	const work = runModelAction(server, 'pull', {
		model: 'user/repo',
		wait: true,
		timeoutMs: 0,
		onProgress: async () => await Promise.reject(new Error('The chat is closed')),
	});
	await expect(work).rejects.toThrow('The chat is closed');
});
