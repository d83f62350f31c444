/** Server checks: probes → facts → findings → result. Once, or until the server is ready. */
import { asServerErrorOrThrow, ServerError } from '../errors/server-error';
import { formatDuration } from '../values/duration';
import { selectOnlyModel } from '../servers/models';
import type { ModelServer } from '../servers/types/server-type';
import type { DifyServer } from './dify';
import { checkDify } from './dify';
import type { CheckFacts } from './facts';
import { toCheckFacts, toModelFacts } from './facts';
import { getFindings } from './findings';
import type { CheckOptions } from './probes';
import { filterChatModels, probeServer } from './probes';
import type { CheckResult, CheckOutcome, HealthStatus } from './check-result';
import {
	summarizeFindings,
	summarizeStatus,
	joinNames,
	pluralize,
	findingFromError,
} from './check-result';
import { sleepWithAbort } from '../http/sleep';

interface ModelServerTarget {
	service: 'modelServer';
	/** @throws a `ServerError` if the URL or the key cannot be used at all */
	open(): ModelServer;
}

interface DifyTarget {
	service: 'dify';
	/** @throws a `ServerError` if the URL or the key cannot be used at all */
	open(): DifyServer;
}

export type CheckTarget = ModelServerTarget | DifyTarget;

/**
 * Checks a server. Cheap: no generation, no model is loaded or woken.
 *
 * @throws a `ServerError` only of type `aborted`
 */
export async function checkServer(
	target: CheckTarget,
	options: CheckOptions = {},
): Promise<CheckResult> {
	const { name, offerText, findings, ...facts } = await runCheck(target, options);
	const outcome = summarizeFindings(findings);
	const latencyMs = Math.round(facts.server.latencyMs ?? 0);
	return {
		// n8n's views show the first fields, so the summary and the findings come before facts.
		summary: outcome.healthy
			? summarizeStatus(`${name} responds in ${latencyMs} ms with ${offerText}`, outcome)
			: summarizeStatus(`${name} is ${outcome.status}`, outcome),
		...outcome,
		...facts,
		checkedAt: new Date().toISOString(),
	};
}

/** Whether no finding prevents a generation. */
export function canGenerate({ status }: CheckResult): boolean {
	return status === 'healthy' || status === 'degraded';
}

/**
 * Selects the model of a test.
 *
 * @param name - Empty: the loaded model, or the only one
 * @throws a `ServerError` of type `invalidInput` if that is ambiguous
 */
export function selectTestModel({ models = [] }: CheckResult, name: string): string {
	return name.trim() || selectOnlyModel(filterChatModels(models));
}

async function runCheck(target: CheckTarget, options: CheckOptions): Promise<CheckOutcome> {
	const outcome = await checkTarget(target, options).catch(asServerErrorOrThrow);
	if (!(outcome instanceof ServerError)) return outcome;
	if (outcome.type === 'aborted') throw outcome;
	const findings = [findingFromError(outcome, outcome.detail)];
	return { findings, server: { type: 'unknown' }, name: UNKNOWN_NAME, offerText: '' };
}

async function checkTarget(target: CheckTarget, options: CheckOptions): Promise<CheckOutcome> {
	if (target.service === 'dify') return await checkDify(target.open(), options);
	return await checkModelServer(target.open(), options);
}

async function checkModelServer(server: ModelServer, options: CheckOptions): Promise<CheckOutcome> {
	const facts = toCheckFacts(await probeServer(server, options));
	const { server: serverFacts, models, isUnlisted, tasks } = facts;
	return {
		findings: getFindings(facts),
		server: serverFacts,
		name: formatServerName(facts),
		offerText: isUnlisted ? `endpoints for ${joinNames(tasks)}` : pluralize(models.length, 'model'),
		models: models.map(toModelFacts),
	};
}

const UNKNOWN_NAME = 'The server';

function formatServerName({ serverType, server: { type, version } }: CheckFacts) {
	if (type === 'unknown' || type === 'dify') return UNKNOWN_NAME;
	return version === undefined ? serverType.label : `${serverType.label} ${version}`;
}

export interface WaitOptions {
	/** A check starts only if it would end in time, if it takes as long as the previous one. The wait ends with this time. */
	timeoutMs: number;
	signal?: AbortSignal;
	/** Pauses between checks; the last one repeats. */
	pausesMs?: readonly number[];
}

const PAUSES_MS = [500, 1_000, 2_000, 3_000, 5_000];

/** A status that a wait saw. */
interface StatusChange {
	/** From the start of the wait. */
	atMs: number;
	status: HealthStatus;
}

/** What happened during a wait. */
interface WaitRecord {
	waitedMs: number;
	/** Number of checks. */
	checks: number;
	/** The first status, and each change of it. */
	history: StatusChange[];
}

/** The last check, with the wait before it. */
export interface WaitResult extends CheckResult {
	wait: WaitRecord;
}

/**
 * Repeats a check until the server is healthy, the time is over, or waiting does not help.
 *
 * @throws the errors of `check`, and an error if the wait is aborted
 */
export async function waitUntilReady(
	check: () => Promise<CheckResult>,
	{ timeoutMs, signal, pausesMs = PAUSES_MS }: WaitOptions,
): Promise<WaitResult> {
	const startedAt = performance.now();
	const elapsed = () => Math.round(performance.now() - startedAt);
	const history: StatusChange[] = [];
	for (let checks = 1; ; checks++) {
		const checkStartMs = elapsed();
		const result = await check();
		const tookMs = elapsed() - checkStartMs;
		if (history.at(-1)?.status !== result.status) {
			history.push({ atMs: elapsed(), status: result.status });
		}
		const pause = pausesMs[Math.min(checks, pausesMs.length) - 1]!;
		const isDone = result.healthy || ['unauthorized', 'misconfigured'].includes(result.status);
		const remainingMs = timeoutMs - elapsed();
		const pauseMs = Math.min(pause, remainingMs - tookMs);
		const isOver = pauseMs <= 0;
		if (isDone || isOver) {
			if (!isDone && remainingMs > 0) await sleepWithAbort(remainingMs, signal);
			const prefix = isDone ? '' : `Not ready within ${formatDuration(timeoutMs)} (Wait Timeout). `;
			const wait = { waitedMs: elapsed(), checks, history };
			return { ...result, summary: prefix + result.summary, wait };
		}
		await sleepWithAbort(pauseMs, signal);
	}
}
