/** What Dify keeps of a run: its record (`GET /workflows/run/:id`), of an agent its message. */
import { splitReasoning } from '../../chat/reasoning';
import type { ErrorType } from '../../errors/error-types';
import { ServerError } from '../../errors/server-error';
import { parseJson } from '../../json';
import {
	asFiniteNumber,
	isNonEmpty,
	isRecord,
	type JsonRecord,
	asNonEmptyString,
	asRecord,
	asRecords,
	asString as textOf,
} from '../../values';
import type { DifyClient } from '../client';
import { createDifyError } from '../errors';
import { apiPath } from '../ids';
import type { TextDelta, WorkflowRun } from '../types';
import { applyEvent, type RunState } from './run-state';

export interface RunRecord extends Omit<WorkflowRun, 'exceptionsCount' | 'nodes'> {
	runId: string;
	/** Dify's own status. Before 1.15 a stopped run stays `running` for ever (docs/protocols/dify.md 2.4). */
	status: string;
	/** Without the variables of Dify itself (`sys.…`). */
	inputs: unknown;
	/** An object, or text where Dify stored no object. */
	outputs: unknown;
	/** As Dify sent it. */
	raw: JsonRecord;
}

/** @throws {ServerError} of kind `runNotFound` */
export async function fetchRunRecord(client: DifyClient, runId: string): Promise<RunRecord> {
	const raw = await client.get(apiPath`/workflows/run/${runId}`);
	const status = asNonEmptyString(raw.status);
	if (status === undefined)
		throw createDifyError('runNotFound', { facts: { workflowRunId: runId }, retryable: false });
	return {
		runId,
		workflowId: asNonEmptyString(raw.workflow_id),
		status,
		inputs: withoutSystem(valuesIn(raw.inputs)),
		outputs: valuesIn(raw.outputs),
		error: asNonEmptyString(raw.error),
		totalSteps: asFiniteNumber(raw.total_steps),
		totalTokens: asFiniteNumber(raw.total_tokens),
		createdAt: asFiniteNumber(raw.created_at),
		finishedAt: asFiniteNumber(raw.finished_at),
		elapsedTime: asFiniteNumber(raw.elapsed_time),
		raw,
	};
}

/** Dify sends inputs as JSON text, and nothing after a failure. Text that is no JSON stays text. */
function valuesIn(value: unknown): unknown {
	if (value === null || value === undefined || value === '') return {};
	return typeof value === 'string' ? (parseJson(value) ?? value) : value;
}

function withoutSystem(inputs: unknown): unknown {
	if (!isRecord(inputs)) return inputs;
	return Object.fromEntries(Object.entries(inputs).filter(([name]) => !name.startsWith('sys.')));
}

const PAUSES_MS = [1_000, 2_000, 3_000, 5_000, 10_000];
/** How long a new run may have no record. */
const NEW_RECORD_GRACE_MS = 10_000;
/** How long an API that restarts may be away. */
const RESTART_GRACE_MS = 30_000;
/** The longest wait, since a record may say `running` for ever. */
const MAX_WAIT_MS = 60 * 60_000;

interface WaitOptions {
	/** Milliseconds; 0: an hour. */
	timeoutMs?: number;
	/** A pause is no end. */
	continueAfterPause?: boolean;
}

/** Polls a run until it is over or pauses. @throws {ServerError} of kind `timeout`, `runNotFound`, `cancelled` */
export async function pollRunRecord(
	client: DifyClient,
	runId: string,
	{ timeoutMs = 0, continueAfterPause = false }: WaitOptions = {},
): Promise<RunRecord> {
	return await pollWithGrace(client, runId, timeoutMs, async () => {
		const record = await fetchRunRecord(client, runId);
		const isPaused = record.status === 'paused' && continueAfterPause;
		return isPaused || ['running', 'scheduled'].includes(record.status) ? undefined : record;
	});
}

/** Looks until there is something. @throws {ServerError} of kind `timeout`, `cancelled`, or as the look */
async function pollWithGrace<T>(
	client: DifyClient,
	id: string,
	limitMs: number,
	look: () => Promise<T | undefined>,
): Promise<T> {
	const limit = limitMs > 0 ? Math.min(limitMs, MAX_WAIT_MS) : MAX_WAIT_MS;
	const begun = performance.now();
	let seenAt = begun;
	let isKnown = false;
	for (let polls = 0; ; polls++) {
		try {
			const found = await look();
			if (found !== undefined) return found;
			seenAt = performance.now();
			isKnown = true;
		} catch (error) {
			if (performance.now() - seenAt > patienceFor(error, isKnown)) throw error as Error;
		}
		const left = limit - (performance.now() - begun);
		if (left <= 0) throw createStillRunningError(id, limit);
		await client.sleep(Math.min(left, PAUSES_MS[Math.min(polls, PAUSES_MS.length - 1)]!));
	}
}

/** Dify has no such record: the run is new. */
const MISSING: ReadonlySet<ErrorType> = new Set(['runNotFound', 'notFound']);
/** The API restarts. */
const AWAY: ReadonlySet<ErrorType> = new Set([
	'connectionRefused',
	'closedBeforeResponse',
	'connectionLost',
	'badGateway',
	'totalTimeout',
]);

/** How long a failure may last, in milliseconds. Of a known run, a missing record is one of a proxy, too. */
function patienceFor(error: unknown, isKnown: boolean): number {
	if (!(error instanceof ServerError)) return -1;
	const isMissing = MISSING.has(error.type);
	if (AWAY.has(error.type) || (isMissing && isKnown)) return RESTART_GRACE_MS;
	return isMissing ? NEW_RECORD_GRACE_MS : -1;
}

function createStillRunningError(runId: string, limitMs: number): ServerError {
	return createDifyError('runTimeout', {
		message: 'Timed out waiting for the Dify run',
		detail: `Dify has not reported the end of the run ${runId} for ${Math.round(limitMs / 1000)} s`,
		suggestion: `The run may still be in progress. Use Follow (resource Run) or Get with the run ID ${runId} to see how it ended. Before Dify 1.15, the record of a stopped run stays "running": check the logs of the app in Dify. To wait longer, raise Total Timeout.`,
		facts: { workflowRunId: runId },
		retryable: false,
	});
}

/** Takes the end of a run from its record, as from an event. Its outputs are its text. */
export async function completeFromRunRecord(
	client: DifyClient,
	run: RunState,
	runId: string,
	options: WaitOptions,
): Promise<TextDelta[]> {
	const { outputs, raw } = await pollRunRecord(client, runId, options);
	const { files } = asRecord(outputs);
	run.isAttached = true;
	const event = raw.status === 'paused' ? 'workflow_paused' : 'workflow_finished';
	// The files of a chatflow's answer are a list, in Dify 1.14 inside an object.
	const data = { ...raw, outputs, files: isRecord(files) ? files.value : files };
	return applyEvent(run, { event, workflow_run_id: runId, data });
}

/**
 * Takes the end of an agent's answer from the rounds in its message: an agent goes on after its stream broke, but leaves
 * `answer` empty (docs/protocols/dify.md 3.8). The last round has a text, and no tool.
 */
export async function completeFromMessage(
	client: DifyClient,
	run: RunState,
	user: unknown,
	limitMs: number,
): Promise<TextDelta[]> {
	const { conversationId, messageId = '' } = run;
	const query = { conversation_id: conversationId, user: textOf(user) };
	const rounds = await pollWithGrace(client, messageId, limitMs, async () => {
		const { data } = await client.get('/messages', query);
		const message = asRecords(data).find(({ id }) => id === messageId);
		const thoughts = asRecords(message?.agent_thoughts);
		const last = thoughts.at(-1);
		if (last === undefined) throw createDifyError('messageNotFound');
		return isNonEmpty(last.thought) && !isNonEmpty(last.tool) ? thoughts : undefined;
	});
	const texts = rounds.map(({ thought }) => textOf(thought) ?? '');
	const whole = texts.join('');
	// The strategy ReAct stores its rounds in other words than it streams them.
	const isSame = splitReasoning(whole).text.startsWith(run.text);
	const answer = isSame ? whole : texts.at(-1);
	const events = [
		...rounds.map((round) => ({ ...round, event: 'agent_thought' })),
		{ event: 'message_replace', answer, reason: 'agent_thoughts' },
		{ event: 'message_end' },
	];
	return events.flatMap((event) => applyEvent(run, event));
}
