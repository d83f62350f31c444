/** Completes runs from what Dify stores: the run record (`GET /workflows/run/:id`), or an agent's message. */
import { splitReasoning } from '../../text/reasoning';
import { ServerError } from '../../errors/server-error';
import { isOneOf } from '../../errors/error-types';
import type { ErrorType } from '../../errors/error-types';
import {
	isNonEmpty,
	isRecord,
	isUnset,
	asNonEmptyString,
	asRecord,
	asRecords,
	asString,
} from '../../values/records';
import { parseJsonExactly } from '../../values/exact-json';
import type { JsonRecord } from '../../values/records';
import { fetchAppParameters } from '../app';
import type { DifyClient } from '../client';
import { apiPath } from '../api-path';
import { createDifyError } from '../create-error';
import type { RunSummary, TextDelta } from '../types';
import { updateWorkflow } from './merge-events';
import type { RunState } from './run-state';
import { applyEvent } from './run-state';

/** What Dify stores of a run. */
export interface RunRecord extends RunSummary {
	runId: string;
	/** Without Dify's system variables (`sys.…`). */
	inputs: unknown;
	outputs: unknown;
	/** As Dify sent it. */
	raw: JsonRecord;
}

/**
 * Before Dify 1.15, the status of a stopped run stays `running` forever (docs/protocols/dify.md 2.4).
 *
 * @throws {ServerError} of type `runNotFound`
 */
export async function fetchRunRecord(client: DifyClient, runId: string): Promise<RunRecord> {
	return parseRunRecord(await client.get(apiPath`/workflows/run/${runId}`), runId);
}

const LOOK_UP_TIMEOUT_MS = 30_000;

/**
 * Reads the record with one request, without retries.
 *
 * @returns undefined while the run continues
 * @throws {ServerError} of type `runNotFound`
 */
export async function fetchEndedRunRecord(
	client: DifyClient,
	runId: string,
): Promise<RunRecord | undefined> {
	const options = { isIdempotent: false, timeoutMs: LOOK_UP_TIMEOUT_MS };
	const raw = await client.requestJson('GET', apiPath`/workflows/run/${runId}`, options);
	const record = parseRunRecord(asRecord(raw), runId);
	return isRunning(record) ? undefined : record;
}

function isRunning({ status }: RunRecord) {
	return ['running', 'scheduled'].includes(status);
}

function parseRunRecord(raw: JsonRecord, runId: string): RunRecord {
	const run: RunSummary = { status: '' };
	updateWorkflow(run, raw);
	if (run.status === '') {
		throw createDifyError('runNotFound', { facts: { workflowRunId: runId }, retryable: false });
	}
	return {
		...run,
		runId,
		inputs: withoutSystemVariables(parseValues(raw.inputs)),
		outputs: parseValues(raw.outputs),
		raw,
	};
}

/** Dify sends inputs as JSON text, or nothing after a failure. Text that is not JSON is kept. */
function parseValues(value: unknown): unknown {
	if (isUnset(value)) return {};
	return typeof value === 'string' ? (parseJsonExactly(value) ?? value) : value;
}

function withoutSystemVariables(inputs: unknown) {
	if (!isRecord(inputs)) return inputs;
	return Object.fromEntries(Object.entries(inputs).filter(([name]) => !name.startsWith('sys.')));
}

const POLL_INTERVALS_MS = [1_000, 2_000, 3_000, 5_000, 10_000];

/** Milliseconds to wait after a number of polls. */
export function getPollInterval(polls: number): number {
	return POLL_INTERVALS_MS[Math.min(polls, POLL_INTERVALS_MS.length - 1)]!;
}

/** How long a new run may have no record. */
const NEW_RECORD_GRACE_MS = 10_000;
/** How long a restarting API may be unavailable. */
const RESTART_GRACE_MS = 30_000;
/** The longest wait, since a record may stay `running` forever. */
const MAX_WAIT_MS = 60 * 60_000;

export interface WaitOptions {
	/** Default: 0, an hour. */
	timeoutMs?: number;
	/** Polls only once. */
	once?: boolean;
}

/**
 * Polls a run until it ends or pauses.
 *
 * @throws {ServerError} of type `runTimeout`, `runNotFound`, `aborted`
 */
export async function pollRunRecord(
	client: DifyClient,
	runId: string,
	options: WaitOptions = {},
): Promise<RunRecord> {
	return await pollWithGrace({ client, id: runId, options }, async () => {
		const record = await fetchRunRecord(client, runId);
		return isRunning(record) ? undefined : record;
	});
}

interface Polling {
	client: DifyClient;
	/** ID of what is polled, for errors. */
	id: string;
	options: WaitOptions;
}

/**
 * Polls until there is a result.
 *
 * @throws {ServerError} of type `runTimeout`, `aborted`, or as `poll`
 */
async function pollWithGrace<T>(
	{ client, id, options: { timeoutMs = 0, once = false } }: Polling,
	poll: () => Promise<T | undefined>,
): Promise<T> {
	const maxMs = timeoutMs > 0 ? Math.min(timeoutMs, MAX_WAIT_MS) : MAX_WAIT_MS;
	const startedAt = performance.now();
	let lastSuccessAt = startedAt;
	let hasResponse = false;
	for (let polls = 0; ; polls++) {
		try {
			const result = await poll();
			if (result !== undefined) return result;
			lastSuccessAt = performance.now();
			hasResponse = true;
		} catch (error) {
			if (performance.now() - lastSuccessAt > getGraceMs(error, hasResponse)) throw error as Error;
		}
		const remainingMs = once ? 0 : maxMs - (performance.now() - startedAt);
		if (remainingMs <= 0) throw createStillRunningError(id, maxMs);
		await client.sleep(Math.min(remainingMs, getPollInterval(polls)));
	}
}

/** Dify has no such record: the run is new. */
export const isMissingRun: (type: ErrorType) => boolean = isOneOf('runNotFound', 'notFound');
/** The API restarts. */
const isUnavailable = isOneOf(
	'connectionRefused',
	'closedBeforeResponse',
	'connectionLost',
	'badGateway',
	'gatewayTimeout',
	'tunnelDown',
	'totalTimeout',
);

/** How long an error may last, in milliseconds. After a first response, a missing record is a proxy error. */
function getGraceMs(error: unknown, hasResponse: boolean) {
	if (!(error instanceof ServerError)) return -1;
	const isMissing = isMissingRun(error.type);
	if (isUnavailable(error.type) || (isMissing && hasResponse)) return RESTART_GRACE_MS;
	return isMissing ? NEW_RECORD_GRACE_MS : -1;
}

/**
 * The error of a run that had not ended in time.
 *
 * @param timeoutMs how long it was waited for
 */
export function createStillRunningError(runId: string, timeoutMs: number): ServerError {
	return createDifyError('runTimeout', {
		about: { runIssue: { kind: 'unreported', runId, afterMs: timeoutMs } },
		facts: { workflowRunId: runId },
		retryable: false,
	});
}

interface RecordWait extends WaitOptions {
	runId: string;
}

/**
 * Polls the record of a run until the run has ended, and applies it like an event. The answer of a finished run becomes
 * only its closing text: `finalizeText` decides later which text counts. That of a paused run becomes the text, if it is
 * newer.
 *
 * @returns the changes of the text until then; the closing text is not among them
 * @throws {ServerError} of type `runTimeout` if the run has not ended in time
 */
export async function pollAndApplyRunRecord(
	client: DifyClient,
	run: RunState,
	{ runId, ...options }: RecordWait,
): Promise<TextDelta[]> {
	return applyRunRecord(run, await pollRunRecord(client, runId, options));
}

/**
 * Applies the end or pause of a run from its record, as an event that says the same.
 *
 * @returns changes of the text as for `pollAndApplyRunRecord`
 */
export function applyRunRecord(run: RunState, { runId, outputs, raw }: RunRecord): TextDelta[] {
	const { files } = asRecord(outputs);
	run.mayLackText = true;
	const event = raw.status === 'paused' ? 'workflow_paused' : 'workflow_finished';
	// The forms that were awaited may be submitted by now, and the record has none.
	if (run.continueAfterPause) run.forms.clear();
	// The files of a chatflow response are a list; in Dify 1.14, the list is in an object.
	return applyEvent(run, {
		event,
		workflow_run_id: runId,
		data: { ...raw, outputs, files: isRecord(files) ? files.value : files },
	});
}

/**
 * Fetches the text of a chatflow whose stream broke from its stored message, and keeps it as the closing text. Only if
 * its run record may lack a replacement: that of a stopped run has no text, and that of an app with moderation has the
 * unmoderated one (docs/protocols/dify.md 3.9).
 */
export async function fetchAndKeepStoredText(
	client: DifyClient,
	run: RunState,
	user: unknown,
): Promise<void> {
	const { conversationId, messageId, reportedEnd } = run;
	if (conversationId === undefined || messageId === undefined || reportedEnd === undefined) return;
	if (reportedEnd.status !== 'stopped' && !(await hasModeration(client))) return;
	const { data } = await client.get('/messages', {
		conversation_id: conversationId,
		user: asString(user),
	});
	const text = asNonEmptyString(asRecords(data).find(({ id }) => id === messageId)?.answer);
	if (text === undefined) return;
	run.closingText = { text, status: reportedEnd.status, mayBeOlder: true, isMessage: true };
}

async function hasModeration(client: DifyClient) {
	const { sensitive_word_avoidance: moderation } = await fetchAppParameters(client);
	return asRecord(moderation).enabled === true;
}

interface MessageWait extends WaitOptions {
	/** The user that sent the message. */
	user: unknown;
}

/**
 * Completes an agent's response from the thoughts in its message: an agent continues after its stream broke, but leaves
 * `answer` empty (docs/protocols/dify.md 3.8). The last thought has text and no tool.
 */
export async function pollAndApplyMessage(
	client: DifyClient,
	run: RunState,
	{ user, ...options }: MessageWait,
): Promise<TextDelta[]> {
	const { conversationId, messageId = '' } = run;
	const storedThoughts = await pollWithGrace({ client, id: messageId, options }, async () => {
		const { data } = await client.get('/messages', {
			conversation_id: conversationId,
			user: asString(user),
		});
		const message = asRecords(data).find(({ id }) => id === messageId);
		const thoughts = asRecords(message?.agent_thoughts);
		const last = thoughts.at(-1);
		if (last === undefined) throw createDifyError('messageNotFound');
		return isNonEmpty(last.thought) && !isNonEmpty(last.tool) ? thoughts : undefined;
	});
	const texts = storedThoughts.map(({ thought }) => asString(thought) ?? '');
	const fullText = texts.join('');
	// The ReAct strategy stores thoughts with a different text than it streams.
	const isSame = splitReasoning(fullText).text.startsWith(run.text);
	const answer = isSame ? fullText : texts.at(-1);
	const events = [
		...storedThoughts.map((storedThought) => ({ ...storedThought, event: 'agent_thought' })),
		{ event: 'message_replace', answer, reason: 'agent_thoughts' },
		{ event: 'message_end' },
	];
	return events.flatMap((event) => applyEvent(run, event));
}
