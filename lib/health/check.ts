/** One check of a server: probes → facts → findings → result. */
import { asServerErrorOrThrow, ServerError } from '../errors/server-error';
import type { ModelServer } from '../servers/types/server-type';
import type { DifyServer } from './check-dify';
import { checkDify } from './check-dify';
import type { CheckFacts } from './facts';
import { toCheckFacts, toModelFacts } from './facts';
import { investigateProbe } from './investigate-check';
import { getFindings } from './findings';
import type { CheckOptions } from './check-options';
import { probeServer } from './probe-server';
import type { CheckResult, CheckOutcome } from './check-result';
import {
	concludeHealth,
	summarizeWithFindingCounts,
	joinNames,
	pluralize,
	findingFromError,
} from './check-result';

interface ModelServerTarget {
	service: 'modelServer';
	/** @throws a `ServerError` if the URL or the key cannot be used at all */
	createServer(): ModelServer;
}

interface DifyTarget {
	service: 'dify';
	/** @throws a `ServerError` if the URL or the key cannot be used at all */
	createServer(): DifyServer;
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
	const health = concludeHealth(findings);
	const latencyMs = Math.round(facts.server.latencyMs ?? 0);
	return {
		// n8n's views show the first fields, so the summary and the findings come before facts.
		summary: health.healthy
			? summarizeWithFindingCounts(`${name} responds in ${latencyMs} ms with ${offerText}`, health)
			: summarizeWithFindingCounts(`${name} is ${health.status}`, health),
		...health,
		...facts,
		checkedAt: new Date().toISOString(),
	};
}

async function runCheck(target: CheckTarget, options: CheckOptions): Promise<CheckOutcome> {
	const outcome = await checkTarget(target, options).catch(asServerErrorOrThrow);
	if (!(outcome instanceof ServerError)) return outcome;
	if (outcome.type === 'aborted') throw outcome;
	const findings = [findingFromError(outcome, outcome.detail)];
	return { findings, server: { type: 'unknown' }, name: UNKNOWN_NAME, offerText: '' };
}

async function checkTarget(target: CheckTarget, options: CheckOptions): Promise<CheckOutcome> {
	if (target.service === 'dify') return await checkDify(target.createServer(), options);
	return await checkModelServer(target.createServer(), options);
}

async function checkModelServer(server: ModelServer, options: CheckOptions): Promise<CheckOutcome> {
	const facts = await withDiagnosis(toCheckFacts(await probeServer(server, options)), server);
	const { server: serverFacts, models, hasModelList, tasks } = facts;
	return {
		findings: getFindings(facts),
		server: serverFacts,
		name: formatServerName(facts),
		offerText: hasModelList
			? pluralize(models.length, 'model')
			: `endpoints for ${joinNames(tasks)}`,
		models: models.map(toModelFacts),
	};
}

/** The facts, whose blocker has what is known of its cause. */
async function withDiagnosis(facts: CheckFacts, server: ModelServer): Promise<CheckFacts> {
	const { blocker } = facts;
	if (blocker === undefined) return facts;
	const error = await investigateProbe(blocker.error, server, 'modelServer');
	return { ...facts, blocker: { ...blocker, error } };
}

const UNKNOWN_NAME = 'The server';

function formatServerName({ serverType, server: { type, version } }: CheckFacts) {
	if (type === 'unknown' || type === 'dify') return UNKNOWN_NAME;
	return version === undefined ? serverType.label : `${serverType.label} ${version}`;
}
