/**
 * Compares the simulators of model servers with recordings: each recorded request is sent to a simulator in the same state,
 * and the answers are compared: status, headers, names, order and kinds of values, error texts, and the order of events.
 *
 * Recordings are copied with `test/fixtures/models/take.mjs`; a topic is a list of them with its simulator.
 */
import { differences } from './model-recordings/compare';
import { recordedExchanges, type RecordedExchange } from './model-recordings/exchange';
import { LLAMA_SERVER } from './model-recordings/llama-server';
import { send } from './model-recordings/send';
import type { RecordedTopic } from './model-recordings/topic';
import { WHISPER } from './model-recordings/whisper';

const TOPICS: RecordedTopic[] = [...LLAMA_SERVER, ...WHISPER];

describe.each(TOPICS.map((one) => [one.topic, one] as const))(
	'%s',
	(topic, { start, inOrder, deviations }) => {
		const all = recordedExchanges(topic);
		const found = new Map<string, Promise<string[]>>();
		const compareAlone = async (recorded: RecordedExchange): Promise<string[]> => {
			const sim = await start(recorded);
			try {
				return differences(recorded, await send(sim.url, recorded));
			} finally {
				await sim.close();
			}
		};
		beforeAll(async () => {
			if (inOrder !== true) return;
			const sim = await start(all[0]!);
			try {
				for (const recorded of all)
					found.set(
						recorded.name,
						Promise.resolve(differences(recorded, await send(sim.url, recorded))),
					);
			} finally {
				await sim.close();
			}
		});
		const compare = async (recorded: RecordedExchange): Promise<string[]> =>
			await (found.get(recorded.name) ?? compareAlone(recorded));

		test.each(
			all.filter(({ name }) => !(name in deviations)).map((one) => [one.name, one] as const),
		)('%s', async (_, recorded) => {
			expect(await compare(recorded)).toEqual([]);
		});

		// A deviation that no longer exists must be removed from the list.
		const differing = all.filter(({ name }) => name in deviations);
		if (differing.length > 0) {
			test.each(differing.map((one) => [one.name, deviations[one.name], one] as const))(
				'%s still differs: %s',
				async (_, __, recorded) => {
					expect(await compare(recorded)).not.toEqual([]);
				},
			);
		}

		test(`${all.length - differing.length} of ${all.length} recorded responses match`, () => {
			expect(
				Object.keys(deviations).filter((name) => !all.some((one) => one.name === name)),
			).toEqual([]);
		});
	},
);
