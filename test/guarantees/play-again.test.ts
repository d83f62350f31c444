/**
 * Play it again: what one execution learned reaches no other one. Each recorded chat and task sends the same requests and
 * gives the same items in a fresh process, and after forty others at the same address with the same credential.
 */
import { forgetAll } from '../../lib/kept';
import type { Exceptions } from '../faults/harness';
import { expectNoProblems, findException } from '../faults/harness';
import { everyExchange } from '../recordings/support/catalog';
import { LIMITS } from '../recordings/support/node-runner';
import { takeSome } from '../support/jest/properties';
import type { Replay, Replayed } from './support/play-again/replay';
import {
	describeDifferences,
	groupByServer,
	listReplays,
	ReplayServer,
} from './support/play-again/replay';

jest.mock('n8n-workflow', () => jest.requireActual<object>('../recordings/support/mock-sleep'));

// What users have, and options that a server may refuse.
Object.assign(LIMITS, { maxRetries: 2, temperature: 0.7, topK: 40, seed: 7, stop: 'END' });

/** As many others as are played before. */
const OTHERS = 40;

/** What the node itself observed of a server, by the differences that it makes. */
const EXCEPTIONS: Exceptions = [
	[/429|busy|no-instance/, 'one request that waited in vain is enough for all'],
	[/error-image-url/, 'the playing server has no native route, which is known then'],
];

/** The orders in which the recordings of a server are played. */
const ORDERS: Readonly<Record<string, (replays: readonly Replay[]) => Replay[]>> = {
	'as recorded': (replays) => [...replays],
	backwards: (replays) => [...replays].reverse(),
	'every seventh': (replays) =>
		[0, 1, 2, 3, 4, 5, 6].flatMap((first) =>
			replays.filter((_replay, index) => index % 7 === first),
		),
};

const groups = groupByServer(takeSome(listReplays(everyExchange())));

const titleOf = ([{ exchange }]: readonly [Replay, ...Replay[]]): string =>
	`${exchange.server}: ${exchange.request.path}`;

describe.each(groups.map((replays) => [titleOf(replays), replays] as const))(
	'%s',
	(_title, replays) => {
		const fresh = new Map<Replay, Replayed>();
		let server: ReplayServer;

		beforeAll(async () => {
			server = await ReplayServer.start(replays);
			for (const replay of replays) {
				forgetAll();
				fresh.set(replay, await server.play(replay));
			}
		});
		afterAll(async () => await server.close());

		test.each(Object.entries(ORDERS))('the same after others: %s', async (_order, sort) => {
			const sorted = sort(replays);
			for (const replay of sorted.slice(-OTHERS)) await server.play(replay);
			const problems: string[] = [];
			for (const replay of sorted)
				problems.push(
					...describeDifferences(replay, {
						fresh: fresh.get(replay)!,
						later: await server.play(replay),
					}),
				);
			expectNoProblems(
				problems.filter((problem) => findException(EXCEPTIONS, problem) === undefined),
			);
		});
	},
);
