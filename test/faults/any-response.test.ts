/**
 * What each operation makes of any response to each of its requests: what it sends, when it gives up, its items and hints, or
 * its error.
 */
import type { INodeProperties } from 'n8n-workflow';

import { useClock } from '../guarantees/support/fake-clock';
import { expectApproved, getTextsOfErrors, joinPlaces } from '../support/approved/approved-table';
import type { PlacedOutcome } from '../support/approved/approved-table';
import { getGoodResponse } from './good-responses';
import type { GoodResponse } from './good-responses';
import { startGoodServer } from './good-server';
import type { GoodServer, Reaction, Received } from './good-server';
import { createCredential, passUntilEnded, withoutIds } from './harness';
import { listOperations } from './operations';
import type { Operation, OperationResult, OperationRun } from './operations';
import path from 'node:path';
import { describeNodeError, withoutTimes, withoutWords } from '../support/approved/outcome';

const clock = useClock();

const NODES = [
	'DifyApp',
	'DifyChatMessage',
	'DifyConversation',
	'DifyFeedback',
	'DifyKnowledge',
	'DifyRetriever',
	'DifyTrigger',
	'DifyWorkflow',
	'LocalLlama',
];

const json = (status: number, body: unknown): Reaction => ({
	status,
	headers: { 'content-type': 'application/json' },
	body: JSON.stringify(body),
});
/** In the form of Dify and in that of model servers. */
const failure = (status: number, code: string): Reaction =>
	json(status, {
		code,
		message: 'It is not so.',
		status,
		error: { message: 'It is not so.', code: status },
	});

/** Numbers and texts that records of Dify have, in addition to those of the good responses. */
const NUMBERS = [
	'position',
	'hit_count',
	'tokens',
	'created_at',
	'updated_at',
	'completed_at',
	'finished_at',
	'elapsed_time',
	'total_tokens',
	'total_steps',
	'exceptions_count',
	'document_count',
	'total_documents',
	'total_segments',
	'completed_segments',
	'available_document_count',
	'chunk_count',
];
const TEXTS = [
	'answer',
	'question',
	'query',
	'title',
	'description',
	'provider',
	'permission',
	'indexing_technique',
	'embedding_model',
	'embedding_model_provider',
	'runtime_mode',
	'conversation_id',
	'message_id',
	'from_end_user_id',
	'workflow_run_id',
	'workflow_id',
	'batch',
	'file_id',
	'extension',
	'mime_type',
	'introduction',
	'author_name',
];

/** What model servers add to a response: an image, a chunk of a stream, and others. */
const ADDED: ReadonlyArray<readonly [field: string, more: object]> = [
	['b64_json', { revised_prompt: 'the revised prompt', seed: 7 }],
	[
		'choices',
		{
			usage: { prompt_tokens: 11, completion_tokens: 12, total_tokens: 23 },
			timings: { prompt_n: 11, prompt_ms: 1.25, predicted_per_second: 2.126 },
		},
	],
	['segments', { language: 'en', duration: 1.23456 }],
];

/** Each record of a response with all fields, each with a value of its own. */
function fill(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(fill);
	if (typeof value !== 'object' || value === null) return value;
	const fields = Object.fromEntries(
		Object.entries(value).map(([name, inner]) => [name, fill(inner)]),
	);
	const added = ADDED.find(([field]) => field in value)?.[1];
	if (added !== undefined) return { ...added, ...fields };
	if (!('id' in value) && !('result' in value) && !('text' in value)) return fields;
	return {
		...Object.fromEntries(NUMBERS.map((name, at) => [name, 100 + at])),
		...Object.fromEntries(TEXTS.map((name) => [name, `the ${name}`])),
		...fields,
	};
}

/** Of JSON, or of each event of a stream. */
function fillBody(good: GoodResponse): GoodResponse {
	const type = String(good.headers['content-type']);
	if (Buffer.isBuffer(good.body) || !/json$|event-stream/.test(type)) return good;
	const body = good.body.replace(
		/^(data: )?(\{.*)$/gm,
		(_line, start: string | undefined, json: string) =>
			(start ?? '') + JSON.stringify(fill(JSON.parse(json))),
	);
	return { ...good, body };
}

/** Whether the output is simplified, by the names of responses with all fields. */
const FILLED: Readonly<Record<string, boolean>> = { 'all fields': true, 'all fields, raw': false };

/** All parts that an operation can add to its output. */
function getParts({ fields }: Operation): string[] {
	const options = fields.flatMap(({ name, options: inner = [] }) =>
		name === 'options' ? (inner as INodeProperties[]) : [],
	);
	const { options: parts = [] } = options.find(({ name }) => name === 'include') ?? {};
	return parts.map((part) => String('value' in part && part.value));
}

/** The fields of an operation for such a response. */
function toFilledFields(
	operation: Operation,
	simplify: boolean | undefined,
): Pick<OperationRun, 'parameters' | 'options'> {
	if (simplify === undefined) return {};
	const include = getParts(operation);
	return {
		parameters: { simplify },
		options: { simplify, ...(include.length > 0 && { include }) },
	};
}

/** Responses by their names in the table. */
const REACTIONS: Readonly<Record<string, Reaction>> = {
	silence: 'hold',
	half: 'half',
	'400': failure(400, 'invalid_param'),
	'404': failure(404, 'not_found'),
	'500': failure(500, 'internal_server_error'),
	'502': { status: 502, headers: { 'content-type': 'text/html' }, body: '<html>nginx</html>' },
	'200 error': json(200, { code: 'invalid_param', message: 'It is not so.', status: 400 }),
	'{}': json(200, {}),
	'[]': json(200, []),
	null: json(200, null),
	'no data': json(200, { data: null, result: 'success', id: 1, name: null, documents: [] }),
	'204': { status: 204, headers: {}, body: '' },
};
/** One execution of an operation. */
interface Played {
	operation: Operation;
	/** The request that gets the response: its line without IDs. */
	line: string;
	reaction: string;
}

const toLine = ({ line }: Received): string => {
	const [method, target = ''] = line.split(' ');
	return withoutIds(`${method} ${decodeURIComponent(target)}`);
};

/** What differs from run to run. */
const UNSTEADY: ReadonlyArray<readonly [pattern: RegExp, text: string]> = [
	[/http:\/\/127\.0\.0\.1:\d+\/[\w-]+/g, 'SERVER'],
	[/127\.0\.0\.1:\d+/g, 'HOST'],
	[
		/"(?:latencyMs|firstTokenMs|\w*PerSecond|checkedAt|since|waitedSeconds)":(?:"[^"]*"|[\d.]+)/g,
		'"…"',
	],
	[/"data":"[^"]{60,}"/g, '"data":"…"'],
	[/[\d.]+ (?:tokens\/s|ms\b)/g, '… ms'],
	[/\bText [0-9a-f]{8}\b/g, 'Text …'],
];
const MAX_SHOWN = 1_100;

const shorten = (text: string): string =>
	withoutIds(UNSTEADY.reduce((rest, [pattern, word]) => rest.replace(pattern, word), text)).slice(
		0,
		MAX_SHOWN,
	);

/** How often each request was sent. */
function countLines(requests: readonly Received[]): Map<string, number> {
	const counts = new Map<string, number>();
	for (const request of requests) {
		const line = toLine(request);
		counts.set(line, (counts.get(line) ?? 0) + 1);
	}
	return counts;
}

/** What was sent besides, or not sent, in comparison with good responses. */
function describeRequests(requests: readonly Received[], good: readonly Received[]): string {
	const [counts, usual] = [countLines(requests), countLines(good)];
	return [...new Set([...usual.keys(), ...counts.keys()])]
		.sort()
		.flatMap((line) => {
			const [count, expected] = [counts.get(line) ?? 0, usual.get(line) ?? 0];
			return count === expected ? [] : [`${count} × ${line}`];
		})
		.join(', ');
}

/** What an error response of Dify becomes, whichever request of whichever operation gets it. */
interface ErrorRule {
	type: string;
	/** What the response says. */
	says: string;
	facts: object;
	/** Requests with the method GET that a gateway did not pass on: it is sent again as often as by default. */
	isRepeated?: true;
}

const INVALID: ErrorRule = {
	type: 'invalidParam',
	says: 'It is not so.',
	facts: { status: 400, code: 'invalid_param', retryable: false },
};

/** By the name of the response. What becomes something else is a row of the table. */
const ERROR_RULES: Readonly<Record<string, ErrorRule>> = {
	'400': INVALID,
	'200 error': INVALID,
	'500': {
		type: 'serverError',
		says: 'It is not so.',
		facts: { status: 500, code: 'internal_server_error', retryable: false },
	},
	'502': {
		type: 'badGateway',
		says: 'nginx',
		facts: { status: 502, retryable: false },
		isRepeated: true,
	},
};

/** An execution, and what it sent. */
interface Result extends Played {
	outcome: string;
	requests: readonly Received[];
	/** Those of good responses. */
	usual: readonly Received[];
}

/** Whether an error has the type, sentence and facts of its rule, and no request was sent after it. */
function isByRule({ operation, line, reaction, outcome, requests, usual }: Result): boolean {
	const rule = ERROR_RULES[reaction];
	if (rule === undefined || operation.service !== 'dify') return false;
	const { type, says, facts, isRepeated } = rule;
	const isRuled =
		outcome.startsWith(`! ${type}⟦`) &&
		outcome.includes(` | says ${says} | `) &&
		outcome.endsWith(` | facts ${JSON.stringify(facts)}`);
	const lines = usual.map(toLine);
	const before = lines.slice(0, lines.indexOf(line));
	const times = isRepeated === true && line.startsWith('GET ') ? 3 : 1;
	const expected = [...before, ...Array.from({ length: times }, () => line)].sort();
	const sent = requests.map(toLine).sort();
	return isRuled && JSON.stringify(sent) === JSON.stringify(expected);
}

/** The words that most errors of a rule have, of each rule. */
function findUsualWords(ruled: readonly Result[]): Set<string> {
	const words = Map.groupBy(ruled, ({ reaction }) => ERROR_RULES[reaction]!.type);
	return new Set(
		[...words.values()].map((results) => {
			const counts = Map.groupBy(results, ({ outcome }) => outcome);
			return [...counts].sort(([, one], [, other]) => other.length - one.length)[0]![0];
		}),
	);
}

/** Pauses before a request is sent again have random parts of less than that. */
const SHOWN_MS = 10_000;

function describeTime(ms: number): string {
	const tens = Math.round(ms / SHOWN_MS);
	return tens === 0 ? '' : `${tens * 10} s ; `;
}

function describeResult({ items, returned, hints = [] }: OperationResult): string {
	const withoutErrors = (text: string) =>
		[...getTextsOfErrors()].reduce((left, words) => left.replaceAll(words, '…'), text);
	const warnings = hints.map(({ message, type }) => `hint ${type}: ${withoutErrors(message)}`);
	return [JSON.stringify(withoutWords(withoutTimes(items ?? returned))), ...warnings].join(' ; ');
}

/** Plays all at the same time, each at an address of its own. */
async function playAll(
	all: readonly Played[],
): Promise<Map<Played, { requests: Received[]; outcome: string }>> {
	const byName = new Map<string, Played>();
	const server: GoodServer = await startGoodServer((request) => {
		const { line, reaction } = byName.get(request.name)!;
		if (toLine(request) !== line) return undefined;
		if (!Object.hasOwn(FILLED, reaction)) return REACTIONS[reaction];
		const { method, text, name } = request;
		const target = request.line.slice(method.length + 1);
		return fillBody(getGoodResponse({ method, target, text, baseUrl: server.at(name) }));
	});
	const works = new Map<string, Promise<string>>();
	const names = new Map<string, Played>();
	const stop = new AbortController();
	for (const [at, played] of all.entries()) {
		const name = `${played.operation.name} ${at}`;
		const url = server.at(name);
		byName.set(url.slice(url.lastIndexOf('/') + 1), played);
		names.set(name, played);
		const startedAt = performance.now();
		const work = played.operation
			.run({
				credentials: [createCredential(played.operation, { url, key: 'key-7f3a91c4d2' })],
				signal: stop.signal,
				...toFilledFields(played.operation, FILLED[played.reaction]),
			})
			.then(describeResult, describeNodeError)
			.then((outcome) => `${describeTime(performance.now() - startedAt)}${outcome}`);
		works.set(name, work);
	}
	const passing = { clock, servers: [server], stepMs: 2_000 };
	const waiting = await passUntilEnded(works, { ...passing, maxMs: 200_000 });
	stop.abort();
	expect(await passUntilEnded(works, passing)).toEqual([]);
	const results = new Map<Played, { requests: Received[]; outcome: string }>();
	for (const [name, played] of names) {
		const outcome = waiting.includes(name) ? 'waits' : await works.get(name)!;
		results.set(played, { requests: server.to(name), outcome });
	}
	await server.close();
	return results;
}

/** Its conversation has a file, and is sent by the code of text chat. */
const SAME_AS_CHAT = 'Local Llama image ask';

test.each(NODES)('%s: each response to each request', async (node) => {
	const operations = (await listOperations()).filter(
		(operation) => operation.node === node && operation.name !== SAME_AS_CHAT,
	);
	const good = await playAll(
		operations.map((operation) => ({ operation, line: '', reaction: 'good' })),
	);
	const played = [...good].flatMap(([{ operation }, { requests }]) =>
		[...new Set(requests.map(toLine))].flatMap((line) =>
			[...Object.keys(REACTIONS), ...Object.keys(FILLED)].map((reaction) => ({
				operation,
				line,
				reaction,
			})),
		),
	);
	const results = await playAll(played);
	const usual = new Map([...good].map(([{ operation }, { requests }]) => [operation, requests]));
	const all = [...results].map(([row, { requests, outcome }]): Result => ({
		...row,
		requests,
		outcome,
		usual: usual.get(row.operation)!,
	}));
	const usualWords = findUsualWords(all.filter(isByRule));
	const rows = all.filter((result) => !isByRule(result) || !usualWords.has(result.outcome));
	const outcomes = rows.map(
		({ operation, line, reaction, requests, outcome, usual: good }): PlacedOutcome => ({
			subject: `${operation.name}, ${line}`,
			place: reaction,
			outcome: shorten([outcome, describeRequests(requests, good)].filter(Boolean).join(' ; ')),
		}),
	);
	expectApproved(
		path.join(__dirname, `any-response.${node}.approved.txt`),
		joinPlaces(outcomes),
		'Whatever a response is, the operation ends with its items or an error that names it, and sends nothing that must not be sent again. An error response of Dify that is in no row has the type, the sentence and the facts of its rule, and nothing was sent after it',
	);
});
