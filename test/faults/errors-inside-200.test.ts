/**
 * An error inside a response with status 200: as its whole body, as its first event, and as its last one. Every operation
 * reports it, as the same error in each place.
 */
import { useClock } from '../guarantees/support/fake-clock';
import { takeSome } from '../support/jest/properties';
import { getGoodResponse } from './good-responses';
import type { GoodResponse } from './good-responses';
import { startGoodServer } from './good-server';
import type { GoodServer } from './good-server';
import { createCredential, expectNoProblems, findException, passUntilEnded } from './harness';
import type { Exceptions } from './harness';
import { listOperations } from './operations';
import type { Operation, OperationResult } from './operations';

type Json = Record<string, unknown>;

interface Cause {
	name: string;
	/** As model servers and gateways send it. */
	error: Json;
	/** As Dify sends it. */
	event: Json;
	/** Types that name it. */
	types: readonly string[];
}

const CAUSES: readonly Cause[] = [
	{
		name: 'a gateway that stopped waiting (OpenRouter)',
		error: { error: { message: 'Provider returned error', code: 524 } },
		event: { event: 'error', status: 504, code: 'internal_server_error', message: 'Timed out' },
		types: ['gatewayTimeout', 'serverError'],
	},
	{
		name: 'a model without memory, as a text (Ollama)',
		error: { error: 'llama runner process has terminated: CUDA out of memory' },
		event: {
			event: 'error',
			status: 400,
			code: 'completion_request_error',
			message: 'PluginInvokeError: CUDA out of memory. Tried to allocate 2.00 GiB.',
		},
		types: ['modelCrashed', 'providerError'],
	},
	{
		name: 'an unknown sentence, without the field error (SGLang)',
		error: { object: 'error', message: 'Already borrowed', type: 'InternalServerError', code: 500 },
		event: {
			event: 'error',
			status: 500,
			code: 'internal_server_error',
			message: 'Already borrowed',
		},
		// In the middle of a response, it is another type with the same words.
		types: ['serverError', 'streamError'],
	},
	{
		name: 'an unknown sentence in another language',
		error: { success: false, message: '内部错误' },
		event: { event: 'error', status: 500, code: 'internal_server_error', message: '内部错误' },
		types: ['serverError', 'streamError'],
	},
];

const PLACES = ['whole body', 'first event', 'last event'] as const;
type Place = (typeof PLACES)[number];

/** Responses in which there is no error, or not of this server. */
const EXCEPTIONS: Exceptions = [
	[/whole body: Dify .* file download$/, 'a file may be JSON'],
	[/whole body: Server Health dify /, 'the server is not recognized as Dify'],
	[/last event: Local Llama text classify$/, 'the label was complete before it'],
	[/last event: Local Llama text extract$/, 'the JSON was complete before it'],
];

/** Operations that say what failed, with the message of the server as detail. */
const OWN_TITLES = /^Local Llama model pull$/;

const clock = useClock();
let operations: Operation[];
beforeAll(async () => {
	operations = await listOperations();
});

interface Failure {
	message?: string;
	description?: string;
	type?: string;
	context?: { data?: { type?: string } };
}

/** What an operation reported. */
interface Report {
	/** Undefined: a success. */
	type: string | undefined;
	title: string;
}

const toReport = ({ message = '', type, context }: Failure): Report => ({
	type: type ?? context?.data?.type ?? '',
	title: message,
});

/** The error of an item, the first finding of a check, or what was returned. */
function readResult({ items, returned }: OperationResult): Report {
	interface Result {
		error?: Failure;
		findings?: Array<{ id: string; detail: string }>;
		health?: Result;
	}
	const polled = returned?.[0] as { items?: Array<Array<{ json: Result }>> } | undefined;
	const all = (items ?? polled?.items) as Array<Array<{ json: Result }>> | undefined;
	const result = all?.flat()[0]?.json;
	if (result?.error !== undefined) return toReport(result.error);
	const finding = (result?.findings ?? result?.health?.findings)?.[0];
	if (finding !== undefined) return { type: finding.id, title: finding.detail };
	return { type: undefined, title: JSON.stringify(result ?? returned) };
}

/** @returns undefined for a place that the response does not have */
function withError(
	{ headers, body }: GoodResponse,
	error: Json,
	place: Place,
): GoodResponse | undefined {
	const text = JSON.stringify(error);
	if (place === 'whole body')
		return { headers: { 'content-type': 'application/json' }, body: text };
	const type = String(headers['content-type']);
	if (!/event-stream|ndjson/.test(type)) return undefined;
	const isLines = type.includes('ndjson');
	const event = isLines ? `${text}\n` : `data: ${text}\n\n`;
	if (place === 'first event') return { headers, body: event };
	const separator = isLines ? '\n' : '\n\n';
	const [first] = String(body).split(separator);
	return { headers, body: `${first}${separator}${event}` };
}

/** What operations report whose responses contain the error at this place. */
async function runAll(
	played: readonly Operation[],
	{ error, event }: Cause,
	place: Place,
): Promise<Map<Operation, Report>> {
	const changed = new Set<string>();
	const isOfDify = (name: string) => /dify/i.test(name);
	const server: GoodServer = await startGoodServer(({ name, method, line, text }) => {
		const [, target = ''] = line.split(' ');
		const good = getGoodResponse({ method, target, text, baseUrl: server.at(name) });
		const response = withError(good, isOfDify(name) ? event : error, place);
		if (response !== undefined) changed.add(server.at(name));
		return response;
	});
	const reports = new Map<Operation, Report>();
	const works = new Map<string, Promise<unknown>>();
	for (const operation of played) {
		const url = server.at(operation.name);
		const credentials = [createCredential(operation, { url, key: 'x'.repeat(24) })];
		const work = operation.run({ credentials, continueOnFail: false }).then(readResult, toReport);
		works.set(
			operation.name,
			work.then((report) => changed.has(url) && reports.set(operation, report)),
		);
	}
	const pending = await passUntilEnded(works, { clock, servers: [server], maxMs: 700_000 });
	await server.close();
	expect(pending).toEqual([]);
	return reports;
}

test.each(CAUSES)('$name: the same error in each place', async (cause) => {
	const problems: string[] = [];
	const titles = new Map<string, string>();
	const played = takeSome(operations, CAUSES.indexOf(cause));
	for (const place of PLACES) {
		const reports = await runAll(played, cause, place);
		expect(reports.size).toBeGreaterThan(played.length * (place === 'whole body' ? 0.7 : 0.1));
		for (const [{ name, service }, { type, title }] of reports) {
			const row = `${place}: ${name}`;
			if (findException(EXCEPTIONS, row) !== undefined) continue;
			if (type === undefined) problems.push(`${row}: a success, ${title}`);
			else if (OWN_TITLES.test(name)) continue;
			else if (!cause.types.includes(type)) problems.push(`${row}: ${type} (${title})`);
			const ownTitle = title.replace(' "a-model"', '');
			const known = titles.get(service) ?? ownTitle;
			titles.set(service, known);
			if (ownTitle !== known) problems.push(`${row}: "${title}" instead of "${known}"`);
		}
	}
	expectNoProblems(problems);
});

/** Operations in which a model generates something. */
const GENERATES = /^Local(?: Llama (?:text|vector|image|audio)|ChatModel|Embeddings|Reranker) /;

test.each([
	['of JSON', 'application/json'],
	['of events', 'text/event-stream'],
	['of no type', undefined],
])('an empty response %s is no success', async (_name, type) => {
	const server = await startGoodServer(({ method }) =>
		method === 'POST' ? { headers: type ? { 'content-type': type } : {}, body: '' } : undefined,
	);
	const reports = new Map<string, Report>();
	const works = operations
		.filter(({ name }) => GENERATES.test(name))
		.map((operation): [string, Promise<unknown>] => {
			const url = server.at(operation.name);
			const credentials = [createCredential(operation, { url, key: 'x'.repeat(24) })];
			const work = operation.run({ credentials, continueOnFail: false }).then(readResult, toReport);
			return [operation.name, work.then((report) => reports.set(operation.name, report))];
		});
	expect(await passUntilEnded(new Map(works), { clock, servers: [server] })).toEqual([]);
	await server.close();
	const successes = [...reports].filter(([, { type: error }]) => error === undefined);
	expect(reports.size).toBeGreaterThan(10);
	expect(successes).toEqual([]);
});
