/** The result of a node for a recorded exchange, as data. */
import type { INodeExecutionData, NodeOperationError } from 'n8n-workflow';

import type { Chunk } from '../../support/n8n/execute-context';
import * as buffer from 'node:buffer';
import * as crypto from 'node:crypto';
import { execute, prepare, supplyRetriever } from './dify-node-runner';
import type { ActionNode } from './dify-node-runner';
import type { DifyExchange } from './dify-exchanges';
import type { OperationRow } from './dify-operations';
import { startDifyPlayback } from './dify-playback';

/** Longer texts are shortened, except hints and titles. */
const LONGEST_TEXT = 120;
const WHOLE_TEXTS = ['hints', 'title'];

/** The result that a user gets. */
export interface DifyResult {
	items?: unknown[];
	/** Documents of a retriever. */
	documents?: unknown;
	/** Text streamed into the chat, by message. */
	typed?: string[];
	hints?: string[];
	error?: unknown;
}

export interface PlayedResult {
	result: DifyResult;
	/** Number of requests that started a run. */
	starts: number;
}

/**
 * Replays an exchange through the operation that sends its request.
 *
 * @param cutAfterEvents after which the connection breaks, pings included
 */
export async function resultOf(
	exchange: DifyExchange,
	row: OperationRow,
	siblings: readonly DifyExchange[],
	cutAfterEvents?: number,
): Promise<PlayedResult> {
	const playback = await startDifyPlayback(exchange, row, siblings);
	if (cutAfterEvents !== undefined) playback.cutAfterEvents(cutAfterEvents);
	try {
		const rawResult =
			row.node === 'difyRetriever'
				? await retrieve(playback.url, row.parameters(exchange))
				: await executeNode(row.node, row, exchange, playback.url);
		const result = normalized(rawResult, new URL(playback.url).origin) as DifyResult;
		return { result, starts: playback.starts() };
	} finally {
		await playback.close();
	}
}

const APP_KEY = `app-${'Contract'.padEnd(24, '0')}`;
const KNOWLEDGE_KEY = `dataset-${'Contract'.padEnd(24, '0')}`;

async function executeNode(
	node: ActionNode,
	row: OperationRow,
	exchange: DifyExchange,
	baseUrl: string,
): Promise<DifyResult> {
	const apiKey = node === 'difyKnowledge' ? KNOWLEDGE_KEY : APP_KEY;
	const parameters = row.parameters(exchange);
	const setup = { items: [{ json: {}, binary: FILES }], streaming: true };
	const fake = prepare(node, row.operation, { baseUrl, apiKey }, parameters, setup);
	const outcome = await settle(async () => await execute(node, fake));
	const chatMessages = typedIn(fake.chunks);
	const hints = fake.hints.map(({ message }) => message);
	const display = {
		...(chatMessages.length > 0 && { typed: chatMessages }),
		...(hints.length > 0 && { hints }),
	};
	if ('error' in outcome) return { error: errorOf(outcome.error), ...display };
	return { items: outcome.value.map(itemOf), ...display };
}

async function retrieve(baseUrl: string, parameters: Record<string, unknown>): Promise<DifyResult> {
	const access = { baseUrl, apiKey: KNOWLEDGE_KEY };
	const { retriever, fake } = await supplyRetriever(access, parameters);
	const outcome = await settle(async () => await retriever.invoke(parameters.query));
	const hints = fake.hints.map(({ message }) => message);
	const display = hints.length > 0 ? { hints } : {};
	if ('error' in outcome) return { error: errorOf(outcome.error), ...display };
	return { documents: outcome.value, ...display };
}

async function settle<T>(work: () => Promise<T>): Promise<{ value: T } | { error: unknown }> {
	return await work().then(
		(value) => ({ value }),
		(error: unknown) => ({ error }),
	);
}

const inBase64 = (content: string) => buffer.Buffer.from(content).toString('base64');

/** A silent recording of one second, for operations that send audio. */
const SOUND = `RIFF\u0024\u0000\u0000\u0000WAVEfmt \u0010\u0000\u0000\u0000\u0001\u0000\u0001\u0000${'\u0000'.repeat(24)}`;

const FILES = {
	data: { data: inBase64('llama wool'), mimeType: 'text/plain', fileName: 'a.txt' },
	sound: { data: inBase64(SOUND), mimeType: 'audio/wav', fileName: 'a.wav' },
};

function itemOf({ json, binary }: INodeExecutionData): unknown {
	if (binary === undefined) return { json };
	const files = Object.entries(binary).map(([name, { fileName, mimeType, data }]) => {
		const bytes = buffer.Buffer.from(data, 'base64');
		return [name, { fileName, mimeType, bytes: bytes.byteLength, sha256: hashOf(bytes) }];
	});
	return { json, binary: Object.fromEntries(files) as object };
}

/** The fields of an error that a workflow can read. Its description is not stored. */
function errorOf(error: unknown): unknown {
	const { message, context } = error as NodeOperationError;
	const { type, status, code, answer, ...data } = (context?.data ?? {}) as Record<string, unknown>;
	const { conversationId, messageId, taskId, workflowRunId } = data;
	return {
		type,
		title: message,
		status,
		code,
		answer,
		conversationId,
		messageId,
		taskId,
		workflowRunId,
	};
}

/** The text of each message in the chat. */
function typedIn(chunks: readonly Chunk[]): string[] {
	const messages: string[] = [];
	for (const { type, content } of chunks) {
		if (type === 'begin' || messages.length === 0) messages.push('');
		const text = typeof content === 'string' ? content : JSON.stringify(content ?? '');
		if (type === 'item') messages[messages.length - 1] += text;
	}
	return messages.filter((message) => message !== '');
}

/** Records of which only these fields are stored; a hash represents the others. */
const NAMED_FIELDS: Readonly<Record<string, readonly string[]>> = {
	nodes: ['title', 'type', 'status', 'error'],
	usage: [
		'prompt_tokens',
		'completion_tokens',
		'total_tokens',
		'promptTokens',
		'completionTokens',
		'totalTokens',
	],
	tool_labels: [],
};

/** Maximum number of records stored per list; the others are only counted. */
const MAX_RECORDS = 3;

/** Sorted keys, short texts, short lists, and the address of the playback replaced. */
function normalized(value: unknown, origin: string, name = ''): unknown {
	if (typeof value === 'string') {
		const text = value.replaceAll(origin, 'http://dify');
		return WHOLE_TEXTS.includes(name) ? text : shortened(text);
	}
	if (Array.isArray(value)) return listed(value, origin, name);
	if (typeof value !== 'object' || value === null) return value;
	const entries = Object.entries(value)
		.filter(([, entry]) => entry !== undefined)
		.sort(([one], [other]) => (one < other ? -1 : 1))
		.map(([key, entry]) => [key, normalized(entry, origin, key)] as const);
	const fieldNames = NAMED_FIELDS[name];
	if (fieldNames === undefined) return Object.fromEntries(entries);
	const selectedEntries = entries.filter(([key]) => fieldNames.includes(key));
	const others = entries.filter(([key]) => !fieldNames.includes(key));
	if (others.length === 0) return Object.fromEntries(selectedEntries);
	const hash = hashOf(buffer.Buffer.from(JSON.stringify(others)));
	return Object.fromEntries([...selectedEntries, ['others', `${others.length} fields, ${hash}`]]);
}

function listed(list: readonly unknown[], origin: string, name: string): unknown[] {
	const entries = list.map((entry) => normalized(entry, origin, name));
	const isOfRecords = entries.some((entry) => typeof entry === 'object');
	const max = name === 'nodes' ? list.length : MAX_RECORDS;
	if (!isOfRecords || list.length <= max) return entries;
	const others = entries.slice(max);
	const hash = hashOf(buffer.Buffer.from(JSON.stringify(others)));
	return [...entries.slice(0, max), `and ${others.length} more, ${hash}`];
}

function shortened(long: string): string {
	if (long.length <= LONGEST_TEXT) return long;
	const head = long.slice(0, 60);
	return `${head}… (${long.length} characters, ${hashOf(buffer.Buffer.from(long))})`;
}

function hashOf(bytes: Uint8Array): string {
	return crypto.createHash('sha256').update(bytes).digest('hex').slice(0, 12);
}
