/**
 * Each field and each option of each operation, set to another value, changes something: a request, when the operation
 * gives up, what is shown in the chat, or the item. Made from the descriptions of the nodes, so a new option is played by
 * itself. What each one changes, and what an operation does as it is added, is in the approved tables.
 */
import type {
	IBinaryData,
	INodeExecutionData,
	INodeParameters,
	INodeProperties,
} from 'n8n-workflow';

import { startGoodServer } from '../faults/good-server';
import type { Reaction, Received } from '../faults/good-server';
import {
	createCredential,
	expectNoProblems,
	findException,
	getUnusedExceptions,
	passUntilEnded,
	withoutIds,
} from '../faults/harness';
import type { Exceptions } from '../faults/harness';
import { getFileKind, getItemId, listOperations, NODES } from '../faults/operations';
import type { Operation } from '../faults/operations';
import { PAUSES } from '../faults/paused-runs';
import { getOtherValues } from '../support/n8n/other-values';
import { expectApproved } from '../support/approved/approved-table';
import type { ApprovedRow } from '../support/approved/approved-table';
import { useClock } from './support/fake-clock';
import path from 'node:path';
import { describeNodeError, withoutTimes } from '../support/approved/outcome';

const clock = useClock();

/** A field or an option of an operation, with its values. */
interface Setting {
	/** The operation and the field. */
	name: string;
	operation: Operation;
	field: string;
	isOption: boolean;
	values: unknown[];
}

/** Fields that decide which fields there are, the collection of the options, and what has no value. */
const NO_SETTING = /^(?:service|resource|operation|options|notice)$/;

const ID = '7a1c9e52-7a40-4b0c-9d1e-5b2f8a6c7d90';
const KEY = 'key-7f3a91c4d2';
/** Longer than any limit that is played. */
const MAX_MS = 700_000;
const STEP_MS = 3_000;
const toLocator = (value: string) => ({ __rl: true, mode: 'id', value });

/** Valid values of fields for which a made-up one is not, by the name of the operation and the field. */
const VALID: ReadonlyArray<readonly [pattern: RegExp, values: unknown[]]> = [
	[/^Local.* maxTokens$/, [7]],
	[/^Dify.* maxTokens$/, [70]],
	[/image ask binaryFields$/, ['data, other']],
	[/ (?:binaryFields|binaryPropertyName|mask)$/, ['other']],
	[/ keepAlive$/, ['30m']],
	[/ messagesJson$/, ['[{"role":"user","content":"other"}]']],
	[/ jsonSchema$/, ['{"type":"object","properties":{"town":{"type":"string"}}}']],
	[/(?:text chat|image ask) responseFormat$/, ['jsonObject']],
	[/ dimensions$/, [3]],
	[/ size$/, ['64x64']],
	[/ fetchFilesFrom$/, ['http://files.example.com']],
	[/ (?:difyDatasetId|documentId|conversationId|annotationId)$/, [toLocator(ID)]],
	[/ (?:workflowId|workflowRunId|taskId|messageId|fileId|chunkId|documentIds)$/, [ID]],
	[/ embeddingModel$/, [toLocator('provider|model')]],
	[/ minimumScore$/, [0.95]],
	[/ maxConcurrentItems$/, [1, 2]],
	[/ (?:batchSize|expectedDimensions)$/, [2]],
	[/metadata set values$/, [{ value: [{ field: 'city', value: 'Lima' }] }]],
	[/decide questions$/, [{ question: [{ name: 'late', question: 'Is it late?' }] }]],
	[/decide questionList$/, ['[{"name":"late","question":"Is it late?"}]']],
	[/decide threshold$/, [0.9]],
	[/ tokens$/, [32]],
	[/ metadataFilters$/, [{ condition: [{ field: 'city', operator: 'is', value: 'Lima' }] }]],
];

const TWO_FILTERS = {
	condition: ['Lima', 'Quito'].map((value) => ({ field: 'city', operator: 'is', value })),
};

/** What a field needs so that it counts. */
const NEEDED: ReadonlyArray<readonly [pattern: RegExp, needed: INodeParameters]> = [
	[/(?:text chat|image ask) grammar$/, { options: { responseFormat: 'grammar' } }],
	[/(?:text chat|image ask) jsonSchema$/, { options: { responseFormat: 'jsonSchema' } }],
	[/ thinkingEffort$/, { options: { thinking: 'effort' } }],
	[/ thinkingBudget$/, { options: { thinking: 'budget' } }],
	[/ (?:maxConcurrentItems|maxRetries)$/, { options: { enableStreaming: false } }],
	[/embed role$/, { options: { queryPrefix: 'query: ' } }],
	[/embed queryPrefix$/, { role: 'query' }],
	[/embed blankTexts$/, { text: ' ' }],
	[/rerank textField$/, { document: [{ text: 'one', other: 'two' }] as never }],
	[/transcribe timestamps$/, { responseFormat: 'verbose_json' }],
	[/Llama audio speak plainText$/, { text: '**bold**' }],
	[/Apps audio speak source$/, { messageId: getItemId(0) }],
	[/Apps audio speak messageId$/, { source: 'message' }],
	[/ inputsMode$/, { inputsJson: '{"text":"other"}' }],
	[/ inputs$/, { inputsMode: 'form' }],
	[/ onStaleConversation$/, { conversation: 'byId', conversationId: getItemId(0) }],
	[/ filterLogic$/, { metadataFilters: TWO_FILTERS as never }],
	[/upsertText ifExists$/, { name: 'Vicuna.txt' }],
	[/decide threshold$/, { questions: { question: [{ name: 'late', question: 'Is it late?' }] } }],
	[/metadata set createFields$/, { values: { value: [{ field: 'town', value: 'Lima' }] } }],
];

const findRow = <T>(rows: ReadonlyArray<readonly [RegExp, T]>, name: string): T | undefined =>
	rows.find(([pattern]) => pattern.test(name))?.[1];

function listSettings(operation: Operation): Setting[] {
	const { fields, parameters } = operation;
	const collections = fields.filter(({ name }) => name === 'options');
	const options = collections.flatMap((field) => (field.options ?? []) as INodeProperties[]);
	const own = (parameters.options ?? {}) as INodeParameters;
	const toSettings =
		(isOption: boolean, current: Readonly<Record<string, unknown>>) =>
		(field: INodeProperties): Setting[] => {
			const name = `${operation.name} ${field.name}`;
			const values = findRow(VALID, name) ?? getOtherValues(field, current[field.name]);
			if (NO_SETTING.test(field.name) || values.length === 0) return [];
			return [{ name, operation, field: field.name, isOption, values }];
		};
	return [
		...fields.flatMap(toSettings(false, parameters)),
		...options.flatMap(toSettings(true, own)),
	];
}

/** Settings that are not played. */
const EXCEPTIONS: Exceptions = [
	[/Trigger poll (?!timeout)/, 'Only later polls differ, which its own tests play.'],
	[/LocalEmbeddings query documentPrefix$/, 'It is for documents.'],
	[/LocalEmbeddings documents queryPrefix$/, 'It is for queries.'],
	[
		/^Local(?:Embeddings|Reranker) .* (?:batchSize|blankTexts|topN|minimumScore)$/,
		'One text that is not blank, which test/nodes/ and batches.test.ts vary.',
	],
	[/vector rerank maxConcurrentItems$/, 'All items are one ranking.'],
	[/transcribe binaryPropertyOutput$/, 'Only a response with subtitles has a file.'],
	[/model getAll onlyLoaded$/, 'The good server has one model, which is loaded.'],
	[
		/model (?:load|unload|pull) wait$/,
		'Ollama always waits, and ends a download that no client reads.',
	],
	[/model unload force$/, 'Ollama lets running responses finish.'],
	[/ fetchFilesFrom$/, 'The good Dify has no files elsewhere.'],
	[/ ignoreNotRated$/, 'Only a Dify whose message has no rating differs.'],
	[/knowledgeBase create ifExists$/, 'The good Dify accepts a second one of the name.'],
	[/Knowledge document \w+ form$/, 'The good knowledge base has documents, which decide the form.'],
	[/document sync (?:maxRemovedPercent|onMissingSource)$/, 'Its source has all documents.'],
	[
		/ (?:allowChanges|confirm)$/,
		'The value that is played keeps the node from sending anything, as it should.',
	],
];

/** How a server responds. */
interface Situation {
	name: string;
	/** Settings for which it is played. Default: all that are left. */
	only?: RegExp;
	/** Number of items. Default: 1. */
	items?: number;
	/** Limit of the credential. Default: the slots of the server. */
	maxConcurrentRequests?: number;
	/** Whether a person's chat waits at the same time. Default: no. */
	hasRival?: boolean;
	/** @param isLast whether the operation sends it last to a good server, or not at all */
	react(request: Received, isLast: boolean): Reaction | Promise<Reaction>;
}

const respond = (status: number, body: object): Reaction => ({
	status,
	headers: { 'content-type': 'application/json' },
	body: JSON.stringify(body),
});
const UNAVAILABLE: Reaction = {
	status: 503,
	headers: { 'content-type': 'text/html' },
	body: '<html><title>503 Service Temporarily Unavailable</title></html>',
};
const RUN = /(?:-messages|workflows\/run|\/events)(?:\?.*)?$/;

const RUN_IDS = { task_id: ID, workflow_run_id: ID };
const FAILED_RUN: Reaction = {
	headers: { 'content-type': 'text/event-stream' },
	body: [
		{ event: 'workflow_started', ...RUN_IDS, data: { id: ID } },
		{
			event: 'workflow_finished',
			...RUN_IDS,
			data: { id: ID, status: 'failed', error: 'A node failed', outputs: {} },
		},
	]
		.map((event) => `data: ${JSON.stringify(event)}\n\n`)
		.join(''),
};

/** Time for requests to be sent at once. */
const SLOW_MS = 3_000;
/** Requests of a run that has begun have arrived by then. */
const passMoment = async (): Promise<void> =>
	await new Promise((resolve) => setTimeout(resolve, SLOW_MS / 3));
const respondLater = async (): Promise<Reaction> =>
	await new Promise((resolve) => setTimeout(() => resolve(undefined), SLOW_MS));

const TOO_LONG = respond(400, {
	error: {
		code: 400,
		message: 'the request exceeds the available context size',
		type: 'exceed_context_size_error',
	},
});
const IS_LONG = /[0-9a-f]{8}-/;

const GOOD = 'a good server';

const SITUATIONS: readonly Situation[] = [
	{ name: GOOD, react: () => undefined },
	{
		name: 'a slow server and three items',
		only: / (?:maxConcurrentItems|batchSize|topN|minimumScore)$/,
		items: 3,
		maxConcurrentRequests: 9,
		react: ({ method, line }) => (method === 'POST' || RUN.test(line) ? respondLater() : undefined),
	},
	{
		name: 'a slow server and other requests',
		only: / priority$/,
		maxConcurrentRequests: 1,
		hasRival: true,
		react: ({ method }) => (method === 'POST' ? respondLater() : undefined),
	},
	{
		name: 'a silent server',
		only: /imeout$|Limit$| wait$/,
		react: (_request, isLast) => (isLast ? 'hold' : undefined),
	},
	{
		name: 'a stream that stops',
		only: /imeout$/,
		react: (_request, isLast) => (isLast ? 'half' : undefined),
	},
	{
		name: 'a gateway whose server is down',
		only: /^(?!Dify).* maxRetries$/,
		react: (_request, isLast) => (isLast ? UNAVAILABLE : undefined),
	},
	{
		name: 'a Dify with too many requests',
		only: /^Dify.* maxRetries$/,
		react: ({ line }) =>
			RUN.test(line) ? respond(429, { code: 'too_many_requests', status: 429 }) : undefined,
	},
	{
		name: 'work that takes long',
		only: / (?:wait|waitUntilFinished|timeout|idleTimeout|force)$/,
		react: () => 'unfinished',
	},
	{
		name: 'a run that is paused',
		only: / onPause$/,
		react: ({ line }) => (RUN.test(line) ? PAUSES.paused : undefined),
	},
	{
		name: 'a run that fails',
		only: / onFailure$/,
		react: ({ line }) => (RUN.test(line) ? FAILED_RUN : undefined),
	},
	{
		name: 'a conversation that is gone',
		only: / onStaleConversation$/,
		react: ({ method }) =>
			method === 'POST'
				? respond(404, { code: 'not_found', message: 'Conversation Not Exists.', status: 404 })
				: undefined,
	},
	{
		name: 'a model for short texts',
		only: / (?:longTexts|longDocuments)$/,
		react: ({ method, text }) => (method === 'POST' && IS_LONG.test(text) ? TOO_LONG : undefined),
	},
];

/** Without the words that are marked to be numbered: a value of a row is cut. */
const withoutMarks = (text: string): string => text.replace(/⟦[^⟧]*⟧/g, '');

/** What an operation returned, or its error. */
type Outcome = { result: object } | { error: string };

/** One execution of an operation at an address of its own. */
interface Played {
	/** What came of it: one line for each value in its items, hints and requests, each with its path. */
	facts: readonly string[];
	/** Everything that a user or a server can notice. Without what differs from run to run. */
	noticed: string;
	requests: Received[];
	isRefused: boolean;
}

/** Contents of text files, so that their addresses can be replaced. */
const readFiles = (_key: string, value: unknown): unknown => {
	const { mimeType, data } = (value ?? {}) as { mimeType?: string; data?: string };
	const isText = typeof data === 'string' && /text|json|svg/.test(mimeType ?? '');
	return isText ? { ...(value as object), data: Buffer.from(data, 'base64').toString() } : value;
};

/** Boundaries of forms, names of addresses, and IDs of LangChain's runs. */
const CHANGING = /-{3,}[\w-]+|\w[\w-]*--\d{4}|run-[\w-]{36}|127\.0\.0\.1:\d+/g;

/** @param startedAt time of the clock at which the runs of the situation began */
function toPlayed(
	outcome: Outcome,
	{ requests, startedAt }: { requests: Received[]; startedAt: number },
): Played {
	const toSeconds = (at: number): number => Math.round((at - startedAt) / 1_000);
	const sent = sortQuestions(requests).map(({ line, text, headers, at }) => [
		line,
		text,
		headers['content-type'],
		headers.authorization,
		toSeconds(at),
	]);
	const endedAt = toSeconds(performance.now());
	const noticed = JSON.stringify([outcome, sent, endedAt], readFiles).replaceAll(CHANGING, '…');
	const isRefused = 'error' in outcome && requests.length === 0;
	return { noticed, facts: toFacts(outcome, requests, endedAt), requests, isRefused };
}

/** Characters of a value in the table. */
const MAX_SHOWN = 120;

/** What differs from run to run: addresses, IDs, texts that are made up, and measured times. */
const UNSTEADY: ReadonlyArray<readonly [pattern: RegExp, text: string]> = [
	[/http:\/\/(?:127\.0\.0\.1:\d+|…)\/[\w-]+-\d{4}/g, 'SERVER'],
	[new RegExp(ID, 'g'), 'OTHER'],
	[/\bText [0-9a-f]{8}\b/g, 'Text …'],
	[/[\d.]+ (?:tokens\/s|ms\b|s\b)/g, '… s'],
	[/seconds: [\d.]+/g, 'seconds: …'],
];

const withoutUnsteady = (text: string): string =>
	withoutIds(UNSTEADY.reduce((rest, [pattern, word]) => rest.replace(pattern, word), text));

/** Fields with times, in an item and in a body; a report has the date. */
const TIMES =
	/(?:report\.file\.bytes|latencyMs|firstTokenMs|PerSecond|checkedAt|since|waitedSeconds|\.url)=/;

/** Each value in an object, with its path. */
function listValues(value: unknown, path: string): string[] {
	if (typeof value === 'object' && value !== null && Object.keys(value).length > 0)
		return Object.entries(value).flatMap(([name, inner]) => listValues(inner, `${path}.${name}`));
	const text = JSON.stringify(value);
	return text === undefined
		? []
		: [`${path}=${withoutUnsteady(text.replaceAll(CHANGING, '…')).slice(0, MAX_SHOWN)}`];
}

/** A body of JSON, or the parts of a form by their names. */
function parseBody(text: string): unknown {
	if (/^[{[]/.test(text)) return JSON.parse(text);
	const [boundary = ''] = text.split('\r\n', 1);
	const parts = text.split(boundary).slice(1, -1);
	return parts.map((part) => {
		const [head = '', ...lines] = part.split('\r\n\r\n');
		const names = [...head.matchAll(/name="([^"]*)"/g)].map(([, name]) => name);
		const body = lines.join('\n').trimEnd();
		return { [names.join(' ')]: body.startsWith('{') ? parseBody(body) : body };
	});
}

/** Questions one after the other may have been asked at the same time, and arrive in any order. */
function sortQuestions(requests: readonly Received[]): Received[] {
	const groups: Received[][] = [];
	for (const request of requests) {
		const group = groups.at(-1);
		if (request.method === 'GET' && group?.[0]?.method === 'GET') group.push(request);
		else groups.push([request]);
	}
	return groups.flatMap((group) => group.toSorted((a, b) => (a.line < b.line ? -1 : 1)));
}

function toFacts(outcome: Outcome, requests: readonly Received[], endedAt: number): string[] {
	const sent = sortQuestions(requests).flatMap(({ line, text }, at) => {
		const [method, target = ''] = line.split(' ');
		const { pathname, searchParams } = new URL(target, 'http://server');
		const request = `request ${at + 1}`;
		return [
			`${request}=${method} ${withoutUnsteady(pathname)}`,
			...[...searchParams].map(([name, value]) => `${request}?${name}=${withoutUnsteady(value)}`),
			...(text === '' ? [] : listValues(parseBody(text), request)),
		];
	});
	const result = JSON.parse(JSON.stringify(outcome, readFiles)) as object;
	const facts = [...sent, ...listValues(result, ''), `end=${endedAt} s`];
	return facts.filter((fact) => !TIMES.test(fact)).map((fact) => fact.replace(/^\.result\./, ''));
}

/** By path. */
const toValues = ({ facts }: Played): Map<string, string> =>
	new Map(
		facts.map((fact) => [fact.slice(0, fact.indexOf('=')), fact.slice(fact.indexOf('=') + 1)]),
	);

/** The part of a path that nothing has any more. */
function shortenGone(path: string, left: readonly string[]): string {
	const ends = [...path.matchAll(/[.?]/g)].map(({ index }) => index).filter((index) => index > 0);
	const beginnings = [...ends.map((end) => path.slice(0, end)), path];
	return beginnings.find((beginning) => !left.some((other) => other.startsWith(beginning))) ?? path;
}

/** What a setting changes: `-` what is gone, `+` what came, and values before and after. */
function describeDifference(without: Played, having: Played): string {
	const [before, after] = [toValues(without), toValues(having)];
	const left = [...after.keys()];
	const gone = [...before.keys()].filter((path) => !after.has(path));
	const changes = [...after].flatMap(([path, value]) => {
		const previous = before.get(path);
		if (previous === undefined) return [`+${path}=${value}`];
		return previous === value ? [] : [`${path}: ${previous} -> ${value}`];
	});
	const shortened = new Set(gone.map((path) => `-${shortenGone(path, left)}`));
	return joinFacts([...shortened, ...changes]);
}

/** More than an operation as it is added, without its report, has. */
const MAX_FACTS = 60;

function joinFacts(facts: readonly string[]): string {
	const rest = facts.length - MAX_FACTS;
	return [...facts.slice(0, MAX_FACTS), ...(rest > 0 ? [`and ${rest} more`] : [])].join('; ');
}

/** The options and fields of a run. */
interface RunFields {
	options: INodeParameters;
	parameters: INodeParameters;
}

/** Those that a setting needs, with its value or, by default, without. */
function toRunFields({ name, field, isOption }: Setting, value?: unknown): RunFields {
	const { options = {}, ...parameters } = findRow(NEEDED, name) ?? {};
	const own = value === undefined ? {} : { [field]: value };
	return {
		options: { ...(options as INodeParameters), ...(isOption && own) } as INodeParameters,
		parameters: { ...parameters, ...(!isOption && own) } as INodeParameters,
	};
}

/** One execution that is played in several situations. */
interface Run {
	operation: Operation;
	fields: RunFields;
	/** Lines of the requests that it sends to a good server before the last one, once they are known. */
	first?: readonly string[];
}

/** An item with two files of the kind that an operation reads. */
function toItem({ parameters }: Operation, itemIndex: number): INodeExecutionData {
	const { operation } = parameters;
	const { head, mimeType } = getFileKind(operation);
	const isRecording = operation === 'transcribe';
	const toFile = (fileName: string): IBinaryData => ({
		mimeType,
		fileName,
		data: (isRecording ? head : Buffer.concat([head, Buffer.from(getItemId(itemIndex))])).toString(
			'base64',
		),
	});
	return {
		json: { text: 'a field' },
		binary: { data: toFile('Vicuna.txt'), other: toFile('Alpaca.txt') },
	};
}

/** The chat of a person, to the same server. */
const RIVAL = 'Local Llama text chat';

/** Plays runs at the same time, each at an address of its own. */
async function playAll(
	runs: readonly Run[],
	situation: Situation,
	rival: Operation,
): Promise<Map<Run, Played>> {
	const { react, items = 1, maxConcurrentRequests, hasRival = false } = situation;
	const runByAddress = new Map<string, Run>();
	const server = await startGoodServer((request) => {
		const { first } = runByAddress.get(request.name)!;
		const isSame = (line: string): boolean => line === request.line;
		const sent = server.to(request.name).filter(({ line }) => isSame(line));
		return react(request, first !== undefined && sent.length > first.filter(isSame).length);
	});
	const startedAt = performance.now();
	const stop = new AbortController();
	const played = new Map<Run, Played>();
	const play = async (run: Run, address: string): Promise<unknown> => {
		const { operation, fields } = run;
		const url = server.at(address);
		runByAddress.set(url.slice(url.lastIndexOf('/') + 1), run);
		const credential = createCredential(operation, { url, key: KEY, maxConcurrentRequests });
		const indexes = Array.from({ length: items }, (_, at) => at);
		const chat = async (prompt: string): Promise<unknown> =>
			hasRival && (await rival.run({ credentials: [credential], parameters: { prompt } }));
		const before = chat('before');
		if (hasRival) await passMoment();
		const work = operation
			.run({
				...fields,
				credentials: indexes.map(() => credential),
				items: indexes.map((at) => toItem(operation, at)),
				signal: stop.signal,
			})
			.then(
				(result): Outcome => ({ result: { ...result, items: withoutTimes(result.items) } }),
				(error: Error): Outcome => ({ error: withoutMarks(describeNodeError(error)) }),
			)
			.then((outcome) =>
				played.set(run, toPlayed(outcome, { requests: server.to(address), startedAt })),
			);
		if (hasRival) await passMoment();
		return await Promise.all([before, work, chat('after')]);
	};
	const works = runs.map((run, index) => {
		const address = `${run.operation.name} --${String(index).padStart(4, '0')}`;
		return [address, play(run, address)] as const;
	});
	const ending = new Map(works);
	const passing = { clock, servers: [server], stepMs: STEP_MS };
	await passUntilEnded(ending, { ...passing, maxMs: MAX_MS });
	stop.abort();
	// What waits without a limit.
	expect(await passUntilEnded(ending, passing)).toEqual([]);
	await server.close();
	return played;
}

/** Lines of the requests before the last one: of questions at the same time, the first one of the alphabet. */
const toFirst = (requests: readonly Received[]): string[] =>
	sortQuestions(requests.toReversed())
		.slice(1)
		.map(({ line }) => line);

const NOTHING_SET: RunFields = { options: {}, parameters: {} };

/** Situations whose outcomes are in the tables: those in which it does not matter how fast the machine is. */
const TABLED: ReadonlySet<string> = new Set([
	GOOD,
	'a silent server',
	'a stream that stops',
	'a run that is paused',
	'a run that fails',
	'a conversation that is gone',
	'a model for short texts',
]);

/** A setting, without its value and with one. */
interface Trial {
	setting: Setting;
	value: unknown;
	base: Run;
	changed: Run;
}

/** The same run for the same fields. */
function createRuns(): (operation: Operation, fields: RunFields) => Run {
	const runs = new Map<string, Run>();
	return (operation, fields) => {
		const key = operation.name + JSON.stringify(fields);
		const run = runs.get(key) ?? { operation, fields };
		runs.set(key, run);
		return run;
	};
}

/** What settings do. */
interface Findings {
	/** Settings that change nothing, and values that are refused, one a line. */
	problems: string[];
	/** What each operation does as it is added, and what each value of a setting changes. */
	rows: ApprovedRow[];
}

async function playSettings(
	operations: readonly Operation[],
	{ rival, exceptions }: { rival: Operation; exceptions: Exceptions },
): Promise<Findings> {
	const toRun = createRuns();
	let left = operations
		.flatMap(listSettings)
		.filter(({ name }) => findException(exceptions, name) === undefined);
	const refused: string[] = [];
	const outcomes = new Map<string, string>();
	for (const situation of SITUATIONS) {
		const trials: Trial[] = left
			.filter(({ name }) => situation.only?.test(name) ?? true)
			.flatMap((setting) =>
				setting.values.map((value) => ({
					setting,
					value,
					base: toRun(setting.operation, toRunFields(setting)),
					changed: toRun(setting.operation, toRunFields(setting, value)),
				})),
			);
		const bases = situation.name === GOOD ? operations.map((one) => toRun(one, NOTHING_SET)) : [];
		const runs = [
			...new Set([...bases, ...trials.flatMap(({ base, changed }) => [base, changed])]),
		];
		const results = await playAll(runs, situation, rival);
		for (const base of bases)
			outcomes.set(`${base.operation.name} as added`, joinFacts(results.get(base)!.facts));
		const noticed = new Set<Setting>();
		for (const { setting, value, base, changed } of trials) {
			const [without, having] = [results.get(base)!, results.get(changed)!];
			if (situation.name === GOOD) {
				base.first = toFirst(without.requests);
				changed.first = toFirst(having.requests);
			}
			if (having.noticed !== without.noticed) noticed.add(setting);
			if (having.isRefused && !without.isRefused)
				refused.push(`${setting.name}: a value is refused with ${having.noticed.slice(0, 200)}`);
			if (!TABLED.has(situation.name)) continue;
			const difference = describeDifference(without, having);
			const place = situation.name === GOOD ? '' : `, ${situation.name}`;
			const input = `${setting.name} = ${withoutUnsteady(JSON.stringify(value))}${place}`;
			if (difference !== '') outcomes.set(input, difference);
		}
		left = left.filter((setting) => !noticed.has(setting));
	}
	const problems = [...left.map(({ name }) => `${name} changes nothing`), ...refused];
	return { problems, rows: [...outcomes].map(([input, outcome]) => ({ input, outcome })) };
}

test.each(NODES)(
	'%s: each field and option, set to another value, changes something',
	async (node) => {
		const operations = await listOperations();
		const played = operations.filter((operation) => operation.node === node);
		const rival = operations.find(({ name }) => name === RIVAL)!;
		const { problems, rows } = await playSettings(played, { rival, exceptions: EXCEPTIONS });
		expectNoProblems(problems);
		expectApproved(
			path.join(__dirname, `options.${node}.approved.txt`),
			rows,
			'Each field and option has an effect',
		);
	},
);

test('each operation that streams shows a text in the chat, not only its beginning', async () => {
	const operations = await listOperations();
	const runs = operations
		.filter((operation) => listSettings(operation).some(({ field }) => field === 'enableStreaming'))
		.map((operation): Run => ({ operation, fields: NOTHING_SET }));
	const rival = operations.find(({ name }) => name === RIVAL)!;
	const played = await playAll(runs, SITUATIONS[0]!, rival);
	const silent = runs.filter(
		(run) => !/"type":"item"[^}]*"content":"\S/.test(played.get(run)!.noticed),
	);
	expect(silent.map(({ operation }) => operation.name)).toEqual([]);
	expect(runs.length).toBeGreaterThan(5);
});

test('each exception is needed', async () => {
	const settings = (await listOperations()).flatMap(listSettings);
	const names = settings.map(({ name }) => name);
	expect(getUnusedExceptions(EXCEPTIONS, names)).toEqual([]);
	expect(names.length).toBeGreaterThan(500);
});
