/** How long a document is waited for: in a row of a status in which no worker of Dify has started it. */
import { createDifyClient } from '../../../../lib/dify/credentials';
import { waitForIndexing } from '../../../../lib/dify/knowledge/indexing';
import { asServerErrorOrThrow } from '../../../../lib/errors/server-error';
import { useClock } from '../../../guarantees/support/fake-clock';
import { sendJson, useServers } from '../../../support/servers/scripted-server';

const start = useServers();
const clock = useClock();
const ID = '11111111-2222-4333-8444-555555555555';

/** A status of the document, and for how many seconds it has it. */
type Stretch = readonly [status: string, seconds: number];

const STUCK_SECONDS = 120;

test.each<{ stretches: readonly Stretch[]; end: string }>([
	{ stretches: [['waiting', STUCK_SECONDS - 20]], end: 'completed' },
	{ stretches: [['waiting', STUCK_SECONDS + 20]], end: 'indexingStuck' },
	{ stretches: [['indexing', 2 * STUCK_SECONDS]], end: 'completed' },
	{
		stretches: [
			['waiting', STUCK_SECONDS - 20],
			['parsing', 30],
			['waiting', STUCK_SECONDS - 20],
		],
		end: 'completed',
	},
	{
		stretches: [
			['parsing', STUCK_SECONDS],
			['waiting', STUCK_SECONDS + 20],
		],
		end: 'indexingStuck',
	},
])(
	'a document with $stretches.0 s and $stretches.length stretches: $end',
	async ({ stretches, end }) => {
		const startedAt = performance.now();
		const { url } = await start((_request, response) => {
			let left = (performance.now() - startedAt) / 1_000;
			const now = stretches.find(([, seconds]) => (left -= seconds) < 0);
			sendJson(response, { id: ID, indexing_status: now?.[0] ?? 'completed' });
		});
		const client = createDifyClient({
			baseUrl: `${url}/v1`,
			apiKey: `dataset-${'k'.repeat(24)}`,
			keyType: 'knowledge',
		});
		const job = { datasetId: ID, documentId: ID, batch: undefined };
		const waiting = waitForIndexing(client, job, 3_600_000).then(
			({ status }) => status as string,
			(error: unknown) => asServerErrorOrThrow(error).type as string,
		);
		expect(await clock.passUntil(waiting)).toBe(end);
	},
);
