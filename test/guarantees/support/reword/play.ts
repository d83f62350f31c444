/** Plays an error response to an operation as it was recorded and reworded, and tells what differs. */
import type { Clock } from '../fake-clock';
import { PROVIDER_WORDS } from '../../../../lib/dify/error-types';
import { ERROR_WORDS, findTypeByWords } from '../../../../lib/errors/words';
import { reword } from '../../../support/servers/reword';
import type { Rewording } from '../../../support/servers/reword';
import { getGoodResponse } from '../../../faults/good-responses';
import type { GoodResponse } from '../../../faults/good-responses';
import { startGoodServer } from '../../../faults/good-server';
import type { GoodServer, Received } from '../../../faults/good-server';
import { createCredential, runAlone, waitUntilQuiet, withoutIds } from '../../../faults/harness';
import { MODEL } from '../../../faults/operations';
import type { Operation, OperationResult } from '../../../faults/operations';

/**
 * The rows of words choose a type, and with it the advice of that type. Nothing else may differ with them: no request, no item,
 * no learned state, no title.
 */
const TYPES_OF_WORDS: ReadonlySet<string> = new Set(
	[...ERROR_WORDS, ...PROVIDER_WORDS].map(({ type }) => type),
);

/** Whether a row of words is the reason of other advice. */
function isOfWords(
	{ difference, types: [recorded, reworded] }: Finding,
	{ body, status }: ErrorResponse,
): boolean {
	const hasWords = TYPES_OF_WORDS.has(recorded) || findTypeByWords(body, status) !== undefined;
	return difference === 'advice' && recorded !== reworded && hasWords;
}

/** An error response. */
export interface ErrorResponse {
	/** Unique. */
	name: string;
	service: 'model' | 'dify';
	status: number;
	headers?: Record<string, string>;
	body: string;
	/** Where it is inside of a good response with events. Default: it is the whole response. */
	place?: 'last event';
}

/** What may differ. */
export const DIFFERENCES = ['request', 'item', 'learned state', 'sentence', 'advice'] as const;
export type Difference = (typeof DIFFERENCES)[number];

/** A difference that was found. */
export interface Finding {
	difference: Difference;
	/** What differs, as recorded and reworded. */
	details: readonly [recorded: string, reworded: string];
	/** Types of the error that was reported; empty without an error. */
	types: readonly [recorded: string, reworded: string];
}

/** What an operation is about. */
export interface Subject {
	operation: Operation;
	/** Requests that get the error. */
	isMain(method: string, target: string): boolean;
	/** Names of the fields that it sends. */
	fields: readonly string[];
}

/** Requests that only learn something about the server. */
const HELPER = /\/(?:tokenize|apply-template|api\/show|models|props|version|health|slots)(?:\?|$)/;

const withoutQuery = (line: string): string => line.split('?')[0]!;

/** The main request of each operation: the last one that changes or makes something, or else the last one. */
export async function findSubjects(
	operations: readonly Operation[],
	clock: Clock,
): Promise<Subject[]> {
	const server = await startGoodServer();
	const requests = await runAlone(operations, { clock, server, key: KEY });
	await server.close();
	return operations.map((operation) => {
		const sent = requests.get(operation.name)!;
		const main = sent.findLast(({ method }) => method !== 'GET') ?? sent.at(-1)!;
		const { method: mainMethod, line } = main;
		const fields = new Set(
			sent.flatMap(({ headers, text }) => findFields(headers['content-type'], text)),
		);
		return {
			operation,
			fields: [...fields],
			isMain: (method, target) =>
				method === mainMethod &&
				(method === 'GET'
					? withoutQuery(`GET ${target}`) === withoutQuery(line)
					: !HELPER.test(target)),
		};
	});
}

function findFields(type: string | undefined, text: string): string[] {
	if (type?.startsWith('multipart/') === true)
		return Array.from(text.matchAll(/ name="(\w+)"/g), ([, name]) => name!);
	try {
		return findKeys(JSON.parse(text));
	} catch {
		return [];
	}
}

function findKeys(value: unknown): string[] {
	if (Array.isArray(value)) return value.flatMap(findKeys);
	if (typeof value !== 'object' || value === null) return [];
	return Object.entries(value).flatMap(([key, inner]) => [key, ...findKeys(inner)]);
}

const KEY = 'x'.repeat(24);

/** How often the server fails. */
export type Times = 'once' | 'always';

/** A row: a response at an operation. */
export interface Row {
	response: ErrorResponse;
	subject: Subject;
	times: Times;
}

/** What one run of a row gave. */
interface Run {
	body: string;
	requests: Received[];
	/** Requests of the next run, on a server that works. */
	laterRequests: Received[];
	outcome: Outcome;
}

interface Outcome {
	result?: OperationResult;
	error?: Failure;
}

interface Failure {
	message?: string;
	description?: string;
	type?: string;
	context?: { descriptionTemplate?: string; data?: { type?: string } };
}

interface Address {
	row: Row;
	name: string;
	body: string;
	seed?: number;
}

/** Seconds of the clock in which every operation ends. */
const MAX_SECONDS = 900;
/** Timers within a minute run in their order; those of later limits have no neighbours. */
const FINE_SECONDS = 40;
const LONG_STEP_SECONDS = 20;

/**
 * Plays rows at the same time.
 *
 * @returns the differences of each row, for any of the seeds
 */
export async function playRows(
	rows: readonly Row[],
	{ clock, seeds }: { clock: Clock; seeds: readonly number[] },
): Promise<Map<Row, Finding[]>> {
	const addresses = rows.flatMap((row, index): Address[] => {
		const { response, subject } = row;
		const toName = (version: string): string => `${subject.operation.name} ${index}${version}`;
		const played = (seed: number): Address => {
			const rewording: Rewording = { seed, fields: subject.fields, names: [MODEL] };
			return { row, seed, name: toName(`s${seed}`), body: reword(response.body, rewording) };
		};
		return [{ row, name: toName('r'), body: response.body }, ...seeds.map(played)];
	});
	const runs = await playAddresses(addresses, clock);
	const findings = new Map<Row, Finding[]>();
	for (const row of rows) {
		const own = addresses
			.filter((address) => address.row === row)
			.map((address) => runs.get(address)!);
		const [recorded, ...reworded] = own;
		const found = reworded
			.flatMap((run) => compare(row, recorded!, run))
			.filter((finding) => !isOfWords(finding, row.response));
		findings.set(row, pickOneOfEach(found));
	}
	return findings;
}

const pickOneOfEach = (findings: readonly Finding[]): Finding[] =>
	DIFFERENCES.flatMap((difference) => findings.find((one) => one.difference === difference) ?? []);

async function playAddresses(
	addresses: readonly Address[],
	clock: Clock,
): Promise<Map<Address, Run>> {
	const byName = new Map(addresses.map((address) => [address.name.replace(/\W+/g, '-'), address]));
	const failures = new Map<string, number>();
	let isLater = false;
	const server: GoodServer = await startGoodServer(({ name, method, line, text }) => {
		const address = byName.get(name);
		// A late request of rows that were played before, at the same port.
		if (address === undefined) return undefined;
		const { row, body } = address;
		const target = line.slice(line.indexOf(' ') + 1);
		const count = failures.get(name) ?? 0;
		if (isLater || (row.times === 'once' && count > 0)) return undefined;
		if (!row.subject.isMain(method, target)) return undefined;
		failures.set(name, count + 1);
		const good = getGoodResponse({ method, target, text, baseUrl: server.at(name) });
		return toResponse(row.response, body, good);
	});
	const outcomes = await runEach(addresses, server, clock);
	const counts = new Map(addresses.map(({ name }) => [name, server.to(name).length]));
	isLater = true;
	const learning = addresses.filter(({ row }) => row.times === 'once');
	await runEach(learning, server, clock);
	await server.close();
	return new Map(
		addresses.map((address): [Address, Run] => {
			const sent = server.to(address.name);
			const count = counts.get(address.name)!;
			return [
				address,
				{
					body: address.body,
					requests: sent.slice(0, count),
					laterRequests: sent.slice(count),
					outcome: outcomes.get(address)!,
				},
			];
		}),
	);
}

function toResponse(
	{ status, headers, place }: ErrorResponse,
	body: string,
	good: GoodResponse,
): GoodResponse {
	const isStream = /event-stream/.test(String(good.headers['content-type']));
	if (place === undefined || !isStream) {
		const type = /^\s*[{[]/.test(body)
			? 'application/json'
			: /^\s*</.test(body)
				? 'text/html'
				: 'text/plain';
		return { status, headers: { 'content-type': type, ...headers }, body };
	}
	const [first] = String(good.body).split('\n\n');
	return { headers: good.headers, body: `${first}\n\ndata: ${body}\n\n` };
}

async function runEach(
	addresses: readonly Address[],
	server: GoodServer,
	clock: Clock,
): Promise<Map<Address, Outcome>> {
	const outcomes = new Map<Address, Outcome>();
	const works = new Map<string, Promise<unknown>>();
	for (const address of addresses) {
		const { operation } = address.row.subject;
		const credentials = [createCredential(operation, { url: server.at(address.name), key: KEY })];
		const work = operation.run({ credentials, continueOnFail: false }).then(
			(result) => outcomes.set(address, { result }),
			(error: Failure) => outcomes.set(address, { error }),
		);
		works.set(address.name, work);
	}
	await passTime(works, { clock, server });
	return outcomes;
}

/** Lets time pass whenever no request is on its way, until all work has ended. */
async function passTime(
	works: ReadonlyMap<string, Promise<unknown>>,
	{ clock, server }: { clock: Clock; server: GoodServer },
): Promise<void> {
	const pending = new Set(works.keys());
	for (const [name, work] of works) void work.then(() => pending.delete(name));
	for (let seconds = 0; seconds <= MAX_SECONDS;) {
		await waitUntilQuiet([server]);
		if (pending.size === 0) return;
		const step = seconds < FINE_SECONDS ? 1 : LONG_STEP_SECONDS;
		await clock.pass(step * 1_000);
		seconds += step;
	}
	throw new Error(`Did not end: ${[...pending].join(', ')}`);
}

function compare(row: Row, recorded: Run, reworded: Run): Finding[] {
	const blank = createBlank(recorded, reworded);
	const pairs: ReadonlyArray<[Difference, (run: Run) => string]> = [
		['request', (run) => describeRequests(run.requests)],
		['item', (run) => describeItems(run.outcome)],
		['learned state', (run) => describeRequests(run.laterRequests)],
		['advice', (run) => readShown(run.outcome)?.suggestion ?? ''],
	];
	const types = [getType(recorded), getType(reworded)] as const;
	const findings = pairs.flatMap(([difference, describe]): Finding[] => {
		const details = [blank(describe(recorded)), blank(describe(reworded))] as const;
		const [one, other] = difference === 'advice' ? details.map(withoutQuotation) : details;
		return one === other ? [] : [{ difference, details, types }];
	});
	const [hidden] = [recorded, reworded].flatMap((run) => findHiddenSentence(row, run));
	return hidden === undefined
		? findings
		: [...findings, { difference: 'sentence', details: hidden, types }];
}

/** Advice, with its words blanked, without what the server wrote in front of it. */
const withoutQuotation = (advice: string): string => advice.replace(/^[^\p{L}]*/u, '');

const getType = ({ outcome }: Run): string => readShown(outcome)?.type ?? '';

/** Replaces what differs by design: the words of the server, IDs, and the address. */
function createBlank(recorded: Run, reworded: Run): (text: string) => string {
	const words = new Set(
		[recorded.body, reworded.body].flatMap((body) => body.match(/\p{L}[\p{L}\p{M}]*/gu) ?? []),
	);
	return (text) =>
		withoutIds(text)
			.replace(/127\.0\.0\.1:\d+\/[\w-]+/g, 'SERVER')
			.replace(/\p{L}[\p{L}\p{M}]*/gu, (word) => (words.has(word) ? '□' : word));
}

/** How a request is the same as another one. */
function describeRequest({ line, headers, text }: Received): string {
	const [, boundary] = /boundary=(\S+)/.exec(String(headers['content-type'])) ?? [];
	const body = boundary === undefined ? text : text.replaceAll(boundary, 'BOUNDARY');
	// A speed test sends a text that no cache has.
	return `${line} ${body.replace(/Text [0-9a-f]{8}\./, 'Text RANDOM.')}`;
}

/** Requests that learn something about the server may be sent at the same time, so in any order. */
function describeRequests(requests: readonly Received[]): string {
	const isHelper = ({ method, line }: Received): boolean => method === 'GET' || HELPER.test(line);
	const helpers = new Set(requests.filter(isHelper).map(describeRequest));
	const others = requests.filter((request) => !isHelper(request)).map(describeRequest);
	// While a model loads or a server is busy, how often the node asks depends on the clock.
	const counted = others.filter(
		(one, index) => one !== others[index - 1] || one !== others[index - 2],
	);
	return [...[...helpers].sort(), ...counted].join('\n');
}

/**
 * Keys of items and errors whose texts may differ, and numbers of tokens: those of the context may stand in the sentences of
 * llama-server and vLLM only.
 */
const TEXT_KEY =
	/^(?:message|description|descriptionTemplate|type|title|suggestion|detail|id|name|stack|messages|cause|node|timestamp|at|\w*(?:Ms|Seconds|At|Time|ms)|n_ctx|n_prompt_tokens|n_predict|findings|severity|status|state|httpCode|report|serverText)$/;

function describeItems({ result, error }: Outcome): string {
	if (error === undefined) return describeValue(result);
	const { context } = error;
	return `failed: ${describeValue({ context })}`;
}

function describeValue(value: unknown): string {
	const seen = new Set<unknown>();
	return (
		JSON.stringify(
			value,
			(key, inner: unknown) => {
				if (typeof inner === 'object' && inner !== null) {
					if (seen.has(inner)) return undefined;
					seen.add(inner);
				}
				return TEXT_KEY.test(key) ? undefined : inner;
			},
			1,
		) ?? ''
	);
}

interface Shown {
	type: string;
	title: string;
	suggestion: string;
}

/** The error that an operation reports: thrown, in an item, or as the first finding of a check. */
export function readShown({ result, error }: Outcome): Shown | undefined {
	if (error !== undefined) return toShown(error);
	interface Json {
		error?: Failure;
		findings?: Array<{ id: string; severity: string; detail: string; suggestion: string }>;
		health?: Json;
	}
	const { items, returned } = result ?? {};
	const polled = returned?.[0] as { items?: Array<Array<{ json: Json }>> } | undefined;
	const all = (items ?? polled?.items) as Array<Array<{ json: Json }>> | undefined;
	const json = all?.flat()[0]?.json;
	if (json?.error !== undefined) return toShown(json.error);
	// What was not checked is no error.
	const finding = (json?.findings ?? json?.health?.findings)?.find(
		({ severity }) => severity !== 'info',
	);
	return finding && { type: finding.id, title: finding.detail, suggestion: finding.suggestion };
}

/** What the server wrote, before the advice: with all of its words, or those that the title does not have. */
const QUOTATION = /^[^]*?Server message: "[^]*?"(?:\. (?=\p{Lu}|$)|$)/u;

/** Which file was sent, before the advice. */
const SENT_FILE = /^[^]*?\bFiles? sent: "[^"]*" \([^()]*\)\. /;

function toShown({ message = '', description = '', type, context }: Failure): Shown {
	const text = context?.descriptionTemplate ?? description;
	const suggestion = text.replace(QUOTATION, '').replace(SENT_FILE, '');
	return { type: type ?? context?.data?.type ?? '', title: message, suggestion };
}

/** Errors of a wait. */
const WAITING: ReadonlySet<string> = new Set(['modelLoading', 'totalTimeout']);

/** The first sentence of the server and the title, if that does not have it. */
function findHiddenSentence(
	{ response }: Row,
	{ body, outcome }: Run,
): Array<readonly [sentence: string, title: string]> {
	const shown = readShown(outcome);
	const sentences = findFirstSentences(body, response.status);
	// How long it waited is what the node knows.
	if (shown === undefined || WAITING.has(shown.type) || sentences.length === 0) return [];
	const title = new Set(shown.title.match(/[\p{L}\p{M}]+/gu) ?? []);
	const isShown = sentences.some((sentence) => {
		const words = sentence.match(/[\p{L}\p{M}]+/gu) ?? [];
		return words.filter((word) => title.has(word)).length >= words.length / 2;
	});
	return isShown ? [] : [[sentences[0]!, shown.title]];
}

/** What servers write of themselves or of a library before the message of another server. */
const WRAPPER =
	/^(?:(?:[a-z]\w*\.)*\w+(?:Error|Exception)(?::| -) *|Error code: \d{3} - *|\[json\.exception\.[\w.]+\] *|\[\w+\] (?:\w+ ){1,3}Error, *)+/i;

/** The phrase of a status before a sentence. */
const STATUS_IN_FRONT = /^internal server error: *(?=\S)/i;

/** The message of another server inside of a sentence, as JSON or in Python's notation. */
const INNER = /["']m(?:sg|essage)["']: ?(["'])([^"']{1,200})\1/;

/** As many characters as every title has. */
const TITLE_LENGTH = 80;

/** Phrases of a status, which are no sentence. */
const PHRASE =
	/^(?:(?:error )?(?:code: )?\d{3}\W*)?(?:bad request|unauthorized|forbidden|not found|(?:file|page) not found|method not allowed|payment required|payload too large|too many requests|internal server error|not implemented|bad gateway|service unavailable|gateway time-?out|error)?\W*$/i;

/** Pydantic's text: a heading, the place, what is wrong with it. */
const ISSUE_TEXT = /^\d+ [\p{L} ]+ \w+\n\S+\n +(.*)/u;

/** The first sentence, or what pydantic says of the first place. None: a page, a phrase of the status, nothing. */
function findFirstSentences(body: string, status: number): string[] {
	const text = findMessage(parse(body))?.trim();
	if (text === undefined || status === 0) return [];
	const [line = ''] = text
		.replace(WRAPPER, '')
		.replace(STATUS_IN_FRONT, '')
		.split(/\n|[.!?](?=\s+\p{Lu})/u);
	const issue = ISSUE_TEXT.exec(text)?.[1] ?? INNER.exec(text)?.[2];
	const sentence = line.slice(0, TITLE_LENGTH);
	if (PHRASE.test(sentence) || !/\p{L}/u.test(sentence)) return [];
	return issue === undefined ? [sentence] : [sentence, issue.slice(0, TITLE_LENGTH)];
}

function parse(body: string): unknown {
	try {
		return JSON.parse(body);
	} catch {
		return body.trimStart().startsWith('<') ? undefined : body;
	}
}

function findMessage(value: unknown): string | undefined {
	if (typeof value === 'string') return value;
	if (Array.isArray(value)) return findMessage(value[0]);
	if (typeof value !== 'object' || value === null) return undefined;
	const record = value as Record<string, unknown>;
	for (const key of ['message', 'msg', 'error', 'detail', 'reason']) {
		const message = findMessage(record[key]);
		if (message !== undefined) return message;
	}
	return undefined;
}
