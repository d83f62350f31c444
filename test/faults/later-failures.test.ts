/**
 * A server that is busy, and then fails in the second wait or after minutes: each operation ends, tells the latest failure, and
 * sends nothing again that the server may have begun.
 */
import { useClock } from '../guarantees/support/fake-clock';
import { combine } from '../support/approved/outcome';
import { takeSome } from '../support/jest/properties';
import { startGoodServer } from './good-server';
import type { Reaction, Received } from './good-server';
import {
	createCredential,
	expectNoProblems,
	findException,
	getUnusedExceptions,
	passUntilEnded,
	runAlone,
	withoutIds,
} from './harness';
import type { Exceptions } from './harness';
import { listOperations } from './operations';
import type { Operation, OperationResult } from './operations';

const KEY = 'key-7f3a91c4d2';
const JSON_TYPE = { 'content-type': 'application/json' };

/** When the server stops being busy. */
const MOMENTS = [
	{ moment: 'in the second wait', waits: 1, waitSeconds: 5 },
	{ moment: 'after minutes', waits: 2, waitSeconds: 55 },
];

/** How it fails then. */
const FAILURES: ReadonlyArray<{
	failure: string;
	reaction: Reaction;
	/** Types of errors that tell it. */
	types: RegExp;
}> = [
	{
		failure: 'a failure',
		reaction: {
			status: 500,
			headers: JSON_TYPE,
			body: JSON.stringify({ error: { message: 'It broke', code: 500 }, message: 'It broke' }),
		},
		types: /^(?:dify)?serverError$/i,
	},
	{
		failure: 'a lost connection',
		reaction: 'lost',
		types: /^(?:connectionLost|closedBeforeResponse|streamEndedEarly)$/,
	},
	{
		failure: 'a timeout',
		reaction: 'hold',
		types: /Timeout$|^noResponse$/,
	},
];

/** Types of errors where the server was busy until the time was over. */
const NOT_MET = /^(?:dify)?busy$|^totalTimeout$|^runTimeout$/i;

const clock = useClock();
let operations: Operation[];
let alone: Map<string, Received[]> | undefined;
beforeEach(async () => {
	if (alone !== undefined) return;
	operations = await listOperations();
	const server = await startGoodServer();
	alone = await runAlone(operations, { clock, server, key: KEY });
	await server.close();
});

/** What an execution sent from its row on, and how it ended. */
interface Played {
	/** The operation and its request. */
	text: string;
	/** The request of the row, and those after it. */
	requests: Received[];
	/** Type and text of its error, or of its first finding; undefined without one. */
	error: { type: string; text: string } | undefined;
}

interface Failure {
	message: string;
	description?: string;
	type?: string;
	context?: { data?: { type?: string } };
}

const readError = ({ message, description = '', type, context }: Failure): Played['error'] => ({
	type: type ?? context?.data?.type ?? '',
	text: `${message} ${description}`,
});

/** An error in an item, or the first finding of a check. */
function readResult({ items, returned }: OperationResult): Played['error'] {
	interface Json {
		error?: Failure;
		findings?: Array<{ id: string; detail: string }>;
		health?: Json;
	}
	const polled = returned?.[0] as { items?: Array<Array<{ json: Json }>> } | undefined;
	const all = (items ?? polled?.items) as Array<Array<{ json: Json }>> | undefined;
	const json = all?.flat()[0]?.json;
	if (json?.error !== undefined) return readError(json.error);
	const finding = (json?.findings ?? json?.health?.findings)?.[0];
	return finding && { type: finding.id, text: finding.detail };
}

const getRowIndex = (name: string): number => Number(/\d+$/.exec(name)?.[0]);

/** Each request of each operation, and how it is played. */
interface Setup {
	names: readonly string[];
	waits: number;
	waitSeconds: number;
	reaction: Reaction;
}

async function playAll({ names, waits, waitSeconds, reaction }: Setup): Promise<Played[]> {
	const busy: Reaction = {
		status: 429,
		headers: { ...JSON_TYPE, 'retry-after': String(waitSeconds) },
		body: JSON.stringify({ error: { message: 'Busy', code: 429 }, code: 'too_many_requests' }),
	};
	const server = await startGoodServer(({ name }, index) => {
		const count = index - getRowIndex(name);
		if (count < 0) return undefined;
		return count < waits ? busy : reaction;
	});
	const works = new Map<string, Promise<unknown>>();
	const errors = new Map<string, Played['error']>();
	for (const name of names) {
		const operation = operations.find((one) => name.replace(/ \d+$/, '') === one.name)!;
		const work = operation.run({
			credentials: [createCredential(operation, { url: server.at(name), key: KEY })],
			options: { maxRetries: 2, firstTokenTimeout: 300, idleTimeout: 300, totalTimeout: 0 },
		});
		works.set(
			name,
			work.then(readResult, readError).then((error) => void errors.set(name, error)),
		);
	}
	const passing = { clock, servers: [server], stepMs: 5_000, maxMs: 900_000 };
	expect(await passUntilEnded(works, passing)).toEqual([]);
	await server.close();
	return names.map((name) => {
		const requests = server.to(name).slice(getRowIndex(name));
		const line = requests[0]?.line ?? 'nothing';
		const text = withoutIds(`${name.replace(/ \d+$/, '')}, ${line}`);
		return { text, requests, error: errors.get(name) };
	});
}

/** Rows of requests whose failure is not the failure of the operation. */
const PROBES: Exceptions = [
	[/^Server ?Health/, 'A check reports everything that it meets, and asks until its own limit.'],
	[
		/^Local.*, GET /,
		'Small requests beside the work: the next one waits, and reports what is wrong.',
	],
];

/** Rows of requests that are never sent again once the server may have begun them. */
const ONCE: Exceptions = [
	[
		/^Dify.*, (?:DELETE|PATCH) |^Dify(?! Feedback rate,).*, POST (?!\S+\/retrieve$)/,
		'A change or a run that Dify may have begun.',
	],
];

/** Rows of requests that change nothing, so that they are sent again for a lost connection, too. */
const REPEATABLE =
	/, (?:GET|PUT) |\/(?:embeddings|rerank|systemone|retrieve|feedbacks)$|classify, /;

/** The setting Retries is 2. What a model generates is tried once more if the server failed. */
const getMaxTries = (text: string): number => {
	if (findException(ONCE, text) !== undefined) return 1;
	return REPEATABLE.test(text) ? 4 : 2;
};

/** How often the server met the request after it was busy. */
const countTries = ({ requests }: Played, waits: number): number => {
	const [first] = requests;
	if (first === undefined) return -waits;
	return requests.filter((request) => isSame(request, first)).length - waits;
};

interface Expected {
	waits: number;
	types: RegExp;
	reaction: Reaction;
}

function findProblems(played: Played, { waits, types, reaction }: Expected): string[] {
	const { text, error } = played;
	if (findException(PROBES, text) !== undefined) return [];
	const tries = countTries(played, waits);
	const maxTries = reaction === 'hold' ? 1 : getMaxTries(text);
	const problems = played.requests.length === 0 ? ['was not sent'] : [];
	if (tries > maxTries) problems.push(`tried ${tries} times, expected at most ${maxTries}`);
	const expected = tries > 0 ? types : NOT_MET;
	if (error === undefined || !expected.test(error.type))
		problems.push(
			`after ${tries} tries expected ${String(expected)}, got ${error?.type ?? 'no error'}: ${error?.text}`,
		);
	return problems.map((problem) => `${text}: ${problem}`);
}

const isSame = (one: Received, other: Received): boolean =>
	one.line === other.line && one.text === other.text;

test.each(combine({ at: MOMENTS, how: FAILURES }))(
	'$how.failure $at.moment is told, and nothing is sent twice for it',
	async ({ at, how }) => {
		const rows = [...alone!].flatMap(([name, requests]) =>
			requests.map((_request, index) => `${name} ${index}`),
		);
		const shift = MOMENTS.indexOf(at) + FAILURES.indexOf(how);
		const played = await playAll({ names: takeSome(rows, shift), ...at, ...how });
		const problems = played.flatMap((one) => findProblems(one, { ...at, ...how }));
		expect(played.some((one) => countTries(one, at.waits) > 0)).toBe(true);
		expectNoProblems(problems);
	},
);

test('each exception is still one', () => {
	const rows = [...alone!].flatMap(([name, requests]) =>
		requests.map(({ line }) => withoutIds(`${name}, ${line}`)),
	);
	expectNoProblems(getUnusedExceptions([...PROBES, ...ONCE], rows));
});
