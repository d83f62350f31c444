/** Server checks: probes → facts → findings → result. */
import { captureError, ServerError } from '../errors/server-error';
import { selectOnlyModel } from '../servers/model-names';
import type { ModelServer } from '../servers/types/server-type';
import { checkDify, type DifyServer } from './dify';
import { toCheckFacts, toModelFacts, type CheckFacts } from './facts';
import { getFindings } from './findings';
import type { CheckOptions } from './probe';
import { filterChatModels, probeServer } from './probe-server';
import {
	type CheckResult,
	summarizeFindings,
	summarizeStatus,
	pluralize,
	findingFromError,
	type CheckOutcome,
} from './check-result';

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
 * Selects the model of a test. If `name` is empty: the loaded one, or the only one.
 *
 * @throws {ServerError} of type `invalidInput` if that is ambiguous
 */
export function selectTestModel({ models = [] }: CheckResult, name: string): string {
	return name.trim() || selectOnlyModel(filterChatModels(models));
}

async function runCheck(target: CheckTarget, options: CheckOptions): Promise<CheckOutcome> {
	const outcome = await checkTarget(target, options).catch(captureError);
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
	const { server: serverFacts, models } = facts;
	return {
		findings: getFindings(facts),
		server: serverFacts,
		name: formatServerName(facts),
		offerText: pluralize(models.length, 'model'),
		models: models.map(toModelFacts),
	};
}

const UNKNOWN_NAME = 'The server';

function formatServerName({ serverType, server: { type, version } }: CheckFacts): string {
	if (type === 'unknown' || type === 'dify') return UNKNOWN_NAME;
	return version === undefined ? serverType.label : `${serverType.label} ${version}`;
}
