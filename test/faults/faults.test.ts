/** Every operation of every node meets ten faults: it ends, says what happened, and shows no part of the credential. */
import type { ICredentialDataDecryptedObject } from 'n8n-workflow';

import { useClock } from '../guarantees/support/fake-clock';
import { takeSome } from '../support/jest/properties';
import { canary, echoForms, Search } from '../support/texts/canaries';
import { setTimeout as delay } from 'node:timers/promises';
import * as util from 'node:util';
import { startFaultServer } from './fault-server';
import type { Fault, FaultServer } from './fault-server';
import { FIRST_WORDS, LAST_WORDS } from './good-responses';
import { expectNoProblems } from './harness';
import { listOperations, NODES } from './operations';
import type { Operation } from './operations';

type Expected = Partial<Record<Fault, readonly string[]>>;

/** Error types and findings that name the fault. A slow response is none. */
const TYPES = {
	refused: ['connectionRefused'],
	closed: ['closedBeforeResponse'],
	cut: ['connectionLost'],
	frozen: ['idleTimeout', 'totalTimeout', 'noResponse'],
	'401': ['unauthorized', 'difyUnauthorized'],
	'404': [
		'notFound',
		'routeNotFound',
		'badRequest',
		'difyNotFound',
		'conversationNotFound',
		'messageNotFound',
		'runNotFound',
		'workflowVersionNotFound',
		'formNotFound',
		'datasetNotFound',
	],
	'429': ['busy', 'difyBusy'],
	'503': ['badGateway', 'difyBadGateway'],
	garbage: ['wrongServer', 'difyWrongServer'],
} as const satisfies Expected;

const ENDED_EARLY = ['streamEndedEarly'];
const UNSUPPORTED = ['featureDisabled'];

/** What some operations make of a fault. `undefined`: no error. */
const EXCEPTIONS: ReadonlyArray<readonly [operation: RegExp, expected: Expected]> = [
	// A run may have ended although its events did not arrive, so its record is looked up.
	[
		/^Dify Chat Message$|^Dify Workflow run (?:execute|follow)$/,
		{ cut: ENDED_EARLY, frozen: ['runTimeout'], garbage: ENDED_EARLY },
	],
	// Only identified servers have these actions.
	[/^Local Llama model (?:load|unload|pull|delete)$/, { '404': UNSUPPORTED }],
	[/rerank$|^LocalReranker|image (?:generate|edit)$|Llama audio|complete$/, { '404': UNSUPPORTED }],
	// Not an event of a stream.
	[/Llama (?:text|image ask)|^LocalChatModel/, { garbage: ENDED_EARLY }],
	// Any bytes may be a file.
	[/^Dify Apps file download$/, { garbage: [] }],
];

/** Operations that show a text while it arrives. */
const STREAMED = /^Local Llama text (?:chat|complete)$|^LocalChatModel|^Dify Chat Message$/;
/** What is started or created once only. Other requests may be repeated, and health checks send several. */
const ONCE = /^Local Llama text (?:chat|complete)$|^LocalChatModel|^Dify/;
/** Dify also searches, rates and stops with POST, which may be repeated. */
const STARTS = /^POST (?!.*\/(?:retrieve|feedbacks|stop)$)/;
/** Operations whose result contains the bytes of the server. */
const FILES = /file download$|audio speak$/;
const EMPTY_WORDS = /undefined|\[object|\bNaN\b|\bnull\b/;
const LOW_LEVEL =
	/^(?:fetch failed|terminated|aborted|socket hang up|other side closed|error)\.?$/i;
/** The longest timeout is ten minutes. */
const MAX_MS = 700_000;

interface Outcome {
	/** Name of the operation. */
	name: string;
	/** Type and text of the error, or of the first finding. */
	error: { type: string; title: string; description: string } | undefined;
	/** Everything that n8n stores or shows. */
	shown: string;
	requests: string[];
}

const clock = useClock();
const secrets = { key: canary(24, '+/'), header: canary(24, '&<%'), difyKey: canary(24) };
const search = new Search(secrets);

let operations: Operation[];
beforeAll(async () => {
	operations = await listOperations();
});

function credentialFor({ node, service }: Operation, url: string): ICredentialDataDecryptedObject {
	if (service === 'model') {
		const header = [{ name: 'X-Proxy-Token', value: secrets.header }];
		return { baseUrl: url, apiKey: secrets.key, extraHeaders: { header } } as never;
	}
	const keyType = /Knowledge|Retriever/.test(node) ? 'knowledge' : 'app';
	const prefix = keyType === 'app' ? 'app' : 'dataset';
	return { baseUrl: `${url}/v1`, apiKey: `${prefix}-${secrets.difyKey}`, keyType };
}

interface Failure {
	message: string;
	description?: string;
	type?: string;
	context?: { data?: { type?: string; findings?: Array<{ id: string }> } };
}
interface Finding {
	id: string;
	detail: string;
	suggestion: string;
}
interface Result {
	items?: Array<
		Array<{ json: { error?: Failure; findings?: Finding[]; health?: { findings: Finding[] } } }>
	> | null;
	/** Of a sub-node or a trigger. */
	returned?: unknown[];
}

function readError(failure: Failure): Outcome['error'] {
	const { message, description = '', context } = failure;
	const type = failure.type ?? context?.data?.type ?? context?.data?.findings?.[0]?.id ?? '';
	return { type, title: message, description };
}

/** An error in an item: with continue on fail, or as the finding of a check. */
function readItem({ items, returned }: Result): Outcome['error'] {
	const json = (items ?? (returned?.[0] as Result | undefined)?.items)?.flat()[0]?.json;
	if (json?.error !== undefined) return readError(json.error);
	const finding = (json?.findings ?? json?.health?.findings)?.[0];
	if (finding === undefined) return undefined;
	return { type: finding.id, title: finding.detail, description: finding.suggestion };
}

const inspect = (value: unknown) =>
	util.inspect(value, { depth: 12, maxStringLength: Infinity, maxArrayLength: Infinity });

async function runOperation(
	operation: Operation,
	address: string,
	continueOnFail: boolean,
): Promise<Omit<Outcome, 'requests'>> {
	const { name } = operation;
	const credentials = [credentialFor(operation, address)];
	const run = operation.run({ credentials, continueOnFail });
	return await run.then(
		(result) => ({ name, error: readItem((result ?? {}) as Result), shown: inspect(result) }),
		(error: Failure) => ({ name, error: readError(error), shown: inspect(error) }),
	);
}

/** Faults that last until time has passed. Any other open request is only late. */
const LASTING: readonly Fault[] = ['cut', 'frozen', 'slow'];

/** Retries have pauses with jitter: a long step would add to each of them. */
const STEPS_MS: Partial<Record<Fault, number>> = { cut: 250, frozen: 5_000 };
const getStepMs = (fault: Fault) => STEPS_MS[fault] ?? 1_000;

/** Lets time pass whenever no request is on its way. */
async function passUntil(
	server: FaultServer,
	pending: ReadonlySet<string>,
	fault: Fault,
): Promise<void> {
	let quiet = 0;
	let activity = -1;
	for (let passedMs = 0; pending.size > 0 && passedMs < MAX_MS;) {
		await delay(5);
		quiet = server.activity() === activity ? quiet + 1 : 0;
		activity = server.activity();
		const isLate = server.open() > 0 && !LASTING.includes(fault);
		if (quiet < (isLate ? 40 : 3)) continue;
		await clock.pass(getStepMs(fault));
		passedMs += getStepMs(fault);
	}
}

async function runAll(fault: Fault): Promise<{ outcomes: Outcome[]; open: number }> {
	const server = await startFaultServer();
	const played = takeSome(operations, Object.keys(TYPES).indexOf(fault));
	const pending = new Set(played.map(({ name }) => name));
	const outcomes: Outcome[] = [];
	for (const [index, operation] of played.entries()) {
		const address = server.at(fault, operation.name);
		void runOperation(operation, address, index % 2 === 0).then((outcome) => {
			pending.delete(operation.name);
			outcomes.push({ ...outcome, requests: server.requestsTo(address) });
		});
	}
	await passUntil(server, pending, fault);
	expect([...pending]).toEqual([]);
	const open = server.open();
	await server.close();
	return { outcomes, open };
}

function expectedTypes(fault: keyof typeof TYPES, name: string): readonly string[] {
	const exception = EXCEPTIONS.find(([pattern, row]) => pattern.test(name) && fault in row);
	return exception?.[1][fault] ?? TYPES[fault];
}

/** A file is passed through unchanged. */
const leaksOf = (outcomes: Outcome[]): string[] =>
	outcomes
		.filter(({ name, error }) => error !== undefined || !FILES.test(name))
		.flatMap(({ name, shown }) => search.in(shown).map((hit) => `${name}: ${hit}`));

/** Texts that help nobody. */
function textProblems({ name, error }: Outcome): string[] {
	if (error === undefined) return [];
	const { title, description } = error;
	const isHelpful = description.replace(title, '').trim().length >= 20;
	const isGood =
		isHelpful && !EMPTY_WORDS.test(`${title}\n${description}`) && !LOW_LEVEL.test(title.trim());
	return isGood ? [] : [`${name}: ${title}: ${description}`];
}

test('every node is tested, and a secret in any form is found', () => {
	expect([...new Set(operations.map(({ node }) => node))].sort()).toEqual([...NODES].sort());
	for (const form of Object.values(echoForms(secrets.key)))
		expect(search.in(`before ${form} after`)).toHaveLength(1);
});

test.each(Object.keys(TYPES) as Array<keyof typeof TYPES>)(
	'%s: each operation ends with an error that names it',
	async (fault) => {
		const { outcomes, open } = await runAll(fault);
		const wrong = outcomes.flatMap(({ name, error }) => {
			const right = expectedTypes(fault, name);
			const isRight = error === undefined ? right.length === 0 : right.includes(error.type);
			if (isRight) return [];
			const received = error && `${error.type} (${error.title})`;
			return [`${name}: expected ${right.join(' or ') || 'no error'}, got ${received ?? 'none'}`];
		});
		expectNoProblems(wrong);
		expectNoProblems(outcomes.flatMap(textProblems));
		expectNoProblems(leaksOf(outcomes));
		expect(open).toBe(0);
		const silent = outcomes.filter(({ requests }) => requests.length === 0);
		expect(silent).toHaveLength(fault === 'refused' ? outcomes.length : 0);
		const repeated = outcomes
			.filter(({ name }) => ONCE.test(name))
			.filter(({ requests }) => requests.filter((line) => STARTS.test(line)).length > 1)
			.map(({ name, requests }) => `${name}: sent more than once: ${requests.join(', ')}`);
		expectNoProblems(repeated);
		if (fault !== 'cut' && fault !== 'frozen') return;
		const lost = outcomes
			.filter(({ name, shown }) => STREAMED.test(name) && !shown.includes(FIRST_WORDS))
			.map(({ name, shown }) => `${name}: "${FIRST_WORDS}" is not in ${shown.slice(0, 200)}`);
		expectNoProblems(lost);
	},
);

test('slow: each operation ends, and a text arrives whole', async () => {
	const { outcomes, open } = await runAll('slow');
	const lost = outcomes
		.filter(({ name, shown }) => STREAMED.test(name) && !shown.includes(LAST_WORDS))
		.map(({ name, error }) => `${name}: "${LAST_WORDS}" is missing; error: ${error?.title}`);
	expectNoProblems(lost);
	expectNoProblems(leaksOf(outcomes));
	expect(open).toBe(0);
});
