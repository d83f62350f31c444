/** Ratings of any age beside what is known of the last poll: which are new, what is stored, and how many pages are read. */
import { fetchNewFeedback } from '../../../nodes/DifyTrigger/feedback';
import { expectApproved } from '../../support/approved/approved-table';
import { combine } from '../../support/approved/outcome';
import { createRecordedClient } from '../../lib/dify/recorded-client';
import path from 'node:path';

const NEWEST = Date.UTC(2026, 0, 1, 12);
/** Seconds before or after the newest known rating. */
const toText = (seconds: number): string => new Date(NEWEST + seconds * 1_000).toISOString();

const TIMES: Readonly<Record<string, unknown>> = {
	'61 s before': toText(-61),
	'60.001 s before': toText(-60.001),
	'60 s before': toText(-60),
	'59.999 s before': toText(-59.999),
	'at the same time': toText(0),
	'after it': toText(1),
	'without a zone': toText(1).replace('Z', ''),
	'in another zone': toText(3_601).replace('Z', '+01:00'),
	'in another zone, without a colon': toText(3_601).replace('Z', '+0100'),
	'no time': null,
	'no date': 'yesterday',
	'the year 9999': '9999-12-31T23:59:59',
};
const KNOWN = { unknown: undefined, unchanged: 'stamp', changed: 'an older stamp' } as const;

const STATES = {
	'the first poll': undefined,
	'a later poll': {},
} as const;

test('each time, known or not', async () => {
	const rows = [];
	for (const { time, known, state } of combine({
		time: Object.keys(TIMES),
		known: Object.keys(KNOWN) as Array<keyof typeof KNOWN>,
		state: Object.keys(STATES) as Array<keyof typeof STATES>,
	})) {
		const stamp = KNOWN[known];
		const stamps: Record<string, string> = stamp === undefined ? {} : { a: stamp };
		const last = STATES[state] && { newest: NEWEST, known: stamps };
		const { client, sent } = createRecordedClient({
			'GET /app/feedbacks': {
				data: [{ id: 'a', created_at: TIMES[time], updated_at: 'stamp' }],
			},
		});
		const { ratings, state: next } = await fetchNewFeedback(client, last);
		const found = ratings.map(({ isNew }) => (isNew ? 'new' : 'changed')).join() || 'none';
		rows.push({
			input: `${state}, ${known}, ${time}`,
			outcome: `${found} ; ${next.newest === undefined ? 'no time' : `${(next.newest - NEWEST) / 1_000} s`}, ${JSON.stringify(next.known)} ; ${sent.length} pages`,
		});
	}
	for (const oldest of [-59, -60, -61]) {
		const page = (first: number, last: number): object => ({
			data: Array.from({ length: 101 }, (_none, at) => ({
				id: `${first}-${at}`,
				created_at: toText(at === 100 ? last : first),
			})),
		});
		const { client, sent } = createRecordedClient({
			'GET /app/feedbacks': [page(2, oldest), page(-61, -62), { data: [] }],
		});
		const { ratings, state } = await fetchNewFeedback(client, { newest: NEWEST, known: {} });
		rows.push({
			input: `a full page whose oldest rating is ${-oldest} s before`,
			outcome: `${ratings.length} ratings, ${ratings[0]?.feedback.id as string} first ; ${Object.keys(state.known).length} known ; ${sent.join(', ')}`,
		});
	}
	const { client } = createRecordedClient({ 'GET /app/feedbacks': { data: [] } });
	const { state } = await fetchNewFeedback(client, { newest: NEWEST, known: { a: 'x' } });
	rows.push({ input: 'no ratings any more', outcome: state });
	expectApproved(
		path.join(__dirname, 'feedback.any-times.approved.txt'),
		rows,
		'A rating starts a workflow once, whatever its time',
	);
});
