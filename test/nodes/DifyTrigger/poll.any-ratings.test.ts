/** Which ratings start the workflow, for made-up lists between polls, each setting, and polls that fail or overlap. */
import type { IDataObject } from 'n8n-workflow';

import { DifyTrigger } from '../../../nodes/DifyTrigger/DifyTrigger.node';
import { expectApproved } from '../../support/approved/approved-table';
import { createDraws } from '../../support/jest/draws';
import { polling } from '../../support/n8n/poll-context';
import { sendJson, useServers } from '../../support/servers/scripted-server';
import path from 'node:path';

const start = useServers();

/** A rating; times are minutes. */
interface Rating {
	id: string;
	rating: string | null;
	from_source: string;
	created: number;
	updated: number;
}

const toTime = (minute: number): string =>
	new Date(Date.UTC(2026, 0, 1) + minute * 60_000).toISOString().replace('Z', '');
const toRecord = ({ created, updated, ...rating }: Rating) => ({
	...rating,
	content: `${rating.id} at ${updated}`,
	created_at: toTime(created),
	updated_at: toTime(updated),
});

const { oneOf, count } = createDraws(3);
const SETTINGS: IDataObject[] = [
	{},
	{ rating: 'like' },
	{ rating: 'dislike' },
	{ options: { source: 'admin' } },
	{ options: { source: 'user', changed: false } },
	{ options: { changed: false } },
	{ rating: 'like', options: { changed: true } },
];

/** What happens between two polls, by one letter: a new one, one that is late, a changed one, an old page, nothing. */
const STEPS = [
	'new',
	'new',
	'two',
	'late',
	'changed',
	'comment',
	'gone',
	'nothing',
	'error',
] as const;

function step(ratings: Rating[], name: (typeof STEPS)[number], now: number): void {
	const create = (created: number): void => {
		const id = `r${now}-${ratings.length}`;
		ratings.push({
			id,
			rating: oneOf(['like', 'dislike', null]),
			from_source: oneOf(['user', 'admin']),
			created,
			updated: created,
		});
	};
	const some = ratings.length === 0 ? undefined : oneOf(ratings);
	if (name === 'new' || name === 'two') create(now);
	if (name === 'two') create(now);
	// Written by another worker, half a minute before the newest known one.
	if (name === 'late') create(now - 10.5);
	if (name === 'changed' && some)
		Object.assign(some, { rating: some.rating === 'like' ? 'dislike' : 'like', updated: now });
	if (name === 'comment' && some) some.updated = now;
	if (name === 'gone' && some) ratings.splice(ratings.indexOf(some), 1);
}

async function play(
	steps: ReadonlyArray<(typeof STEPS)[number]>,
	parameters: IDataObject,
	isManual: boolean,
): Promise<string> {
	const ratings: Rating[] = [
		{ id: 'before', rating: 'like', from_source: 'user', created: -10, updated: -10 },
	];
	let fails = false;
	let requests = 0;
	const server = await start((_request, response) => {
		requests += 1;
		if (fails) return sendJson(response, { code: 'x', message: 'down', status: 400 }, 400);
		const data = ratings.toSorted((one, other) => other.created - one.created).map(toRecord);
		return sendJson(response, { data, has_more: false });
	});
	const credentials = () => ({ baseUrl: `${server.url}/v1`, apiKey: 'app-key', keyType: 'app' });
	const { poll } = polling(new DifyTrigger(), {
		parameters,
		credentials,
		mode: isManual ? 'manual' : 'trigger',
	});
	const seen: string[] = [];
	const look = async (): Promise<void> => {
		const items = await poll().catch(({ message }: Error) => message);
		if (typeof items === 'string') seen.push(`! ${items}`);
		else
			seen.push(
				(items?.[0] ?? [])
					.map(
						({ json }) =>
							`${String(json.id)}${json.isNew === true ? '' : '*'} ${String(json.rating)}`,
					)
					.join(' ') || '-',
			);
	};
	await look();
	for (const [at, name] of steps.entries()) {
		step(ratings, name, (at + 1) * 10);
		fails = name === 'error';
		await look();
	}
	return `${seen.join(', ')}; ${requests} requests`;
}

test('made-up lists', async () => {
	const cases = Array.from({ length: 60 }, () => ({
		steps: Array.from({ length: count(1, 5) }, () => oneOf(STEPS)),
		parameters: oneOf(SETTINGS),
		isManual: count(1, 8) === 1,
	}));
	const outcomes = new Map<string, string>();
	for (const { steps, parameters, isManual } of cases)
		outcomes.set(
			`${steps.join(' ')}; ${JSON.stringify(parameters)}${isManual ? ' in the editor' : ''}`,
			await play(steps, parameters, isManual),
		);
	const rows = [...outcomes].map(([input, outcome]) => ({ input, outcome }));
	expectApproved(
		path.join(__dirname, 'poll.any-ratings.approved.txt'),
		rows,
		'No rating is lost between polls, and none starts a workflow twice',
	);
});
