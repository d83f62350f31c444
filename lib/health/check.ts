/** Server checks: probes → facts → findings → result. */
import { captureError, ServerError } from '../errors/server-error';
import { toPlainText } from '../values';
import { selectOnlyModel } from '../servers/model-names';
import type { ModelServer } from '../servers/types/server-type';
import { checkDify, type DifyServer } from './dify';
import { toCheckFacts, type CheckFacts } from './facts';
import {
	summarizeFindings,
	pluralize,
	getFindings,
	findingFromError,
	type CheckOutcome,
} from './findings';
import { type CheckOptions, elapsedMs } from './probe';
import { filterChatModels, probeServer } from './probe-server';
import type { CheckResult } from './result';

export type CheckTarget =
	/** `open` throws if the URL or the key cannot be used at all. */
	{ service: 'modelServer'; open(): ModelServer } | { service: 'dify'; open(): DifyServer };

/**
 * Checks a server. Cheap: no generation, no model is loaded or woken.
 *
 * @throws {ServerError} only of type `aborted`
 */
export async function checkServer(
	target: CheckTarget,
	options: CheckOptions = {},
): Promise<CheckResult> {
	const startedAt = performance.now();
	const outcome = await runCheck(target, options);
	const { status, healthy, findings } = summarizeFindings(outcome.findings);
	return {
		// n8n's views show the first fields, so the summary and the findings come before facts.
		summary: toPlainText(healthy ? summarizeHealthy(outcome) : `${findings[0]!.detail}.`),
		status,
		healthy,
		url: outcome.url,
		findings,
		server: outcome.server,
		latencyMs: outcome.latencyMs,
		...outcome.extraFields,
		checkedAt: new Date().toISOString(),
		checkMs: elapsedMs(startedAt),
	};
}

/** Whether no finding prevents a generation. */
export function canGenerate({ status }: CheckResult): boolean {
	return status === 'healthy' || status === 'degraded';
}

/**
 * Selects the model of a test. If `name` is empty: the loaded one, or the only one.
 *
 * @throws {ServerError} of type `invalidInput` if that is ambiguous
 */
export function selectTestModel({ models = [] }: CheckResult, name: string): string {
	return name.trim() || selectOnlyModel(filterChatModels(models));
}

function summarizeHealthy({ name, latencyMs, offerText, findings }: CheckOutcome): string {
	const warnings = findings.filter(({ severity }) => severity === 'warning').length;
	const warningText = warnings === 0 ? '' : `, with ${pluralize(warnings, 'warning')}`;
	return `${name} responds in ${Math.round(latencyMs ?? 0)} ms with ${offerText}${warningText}.`;
}

async function runCheck(target: CheckTarget, options: CheckOptions): Promise<CheckOutcome> {
	const outcome = await checkTarget(target, options).catch(captureError);
	if (!(outcome instanceof ServerError)) return outcome;
	if (outcome.type === 'aborted') throw outcome;
	const findings = [findingFromError(outcome, outcome.detail)];
	const server = { type: 'unknown', version: null } as const;
	return { url: null, findings, server, latencyMs: null, name: '', offerText: '', extraFields: {} };
}

async function checkTarget(target: CheckTarget, options: CheckOptions): Promise<CheckOutcome> {
	if (target.service === 'dify') return await checkDify(target.open(), options);
	return await checkModelServer(target.open(), options);
}

async function checkModelServer(server: ModelServer, options: CheckOptions): Promise<CheckOutcome> {
	const facts = toCheckFacts(await probeServer(server, options));
	const findings = getFindings(facts);
	const { url, latencyMs, serverFacts } = facts;
	const name = formatServerName(facts);
	const offerText = pluralize(serverFacts.models.length, 'model');
	return {
		url,
		findings,
		server: facts.server,
		latencyMs,
		name,
		offerText,
		extraFields: serverFacts,
	};
}

function formatServerName({ serverType, server: { version } }: CheckFacts): string {
	return version === null ? serverType.label : `${serverType.label} ${version}`;
}
