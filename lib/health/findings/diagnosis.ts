import type { Finding, HealthServerKind, HealthStatus, Observations } from '../observations';
import { withVersion } from '../server-name';
import { ADDRESS_RULES } from './address';
import { API_RULES } from './api';
import { CAPACITY_RULES } from './capacity';
import { DIFY_RULES, knowledgeBases } from './dify';
import { EXPECTATION_RULES } from './expectations';
import { overallStatus, sorted, withoutStatus, type FindingWithStatus } from './finding';
import { KEY_RULES } from './key';
import { LIVENESS_RULES } from './liveness';
import { type Evidence, evidenceOf, findAll, findFirst, type Rules } from './rules';
import { append } from '../../values';

/** A step of the diagnosis. One that finds an error ends it: whatever follows would be a consequence. */
type Stage = (evidence: Evidence) => FindingWithStatus[];

const first =
	(rules: Rules): Stage =>
	(evidence) =>
		findFirst(rules, evidence);
const all =
	(...tables: Rules[]): Stage =>
	(evidence) =>
		tables.flatMap((rules) => findAll(rules, evidence));

/** Order and rows follow docs/protocols/llama-server.md 9.3 and dify 1, 6. */
const STAGES: Record<Observations['service'], readonly Stage[]> = {
	modelServer: [
		first(ADDRESS_RULES),
		first(API_RULES),
		all(KEY_RULES),
		all(LIVENESS_RULES, EXPECTATION_RULES, CAPACITY_RULES),
	],
	dify: [first(ADDRESS_RULES), first(DIFY_RULES)],
};

/** Status, findings and summary from what a check observed. Pure. */
export function diagnose(observations: Observations) {
	const evidence = evidenceOf(observations);
	const ordered = sorted(findingsOf(evidence));
	const status = overallStatus(ordered);
	const findings = withoutStatus(ordered);
	return {
		status,
		findings,
		summary: summarise(status, findings, evidence),
		facts: evidence.facts,
	};
}

function findingsOf(evidence: Evidence): FindingWithStatus[] {
	const findings: FindingWithStatus[] = [];
	for (const stage of STAGES[evidence.observations.service]) {
		const more = stage(evidence);
		append(findings, more);
		if (more.some(({ severity }) => severity === 'error')) break;
	}
	return findings;
}

const NAMES: Partial<Record<HealthServerKind, string>> = {
	dify: 'Dify',
	stableDiffusionWebUi: 'Stable Diffusion WebUI',
	unknown: 'A server of unknown kind',
};

function summarise(status: HealthStatus, findings: readonly Finding[], evidence: Evidence): string {
	const [gravest] = findings;
	if (status !== 'healthy' && gravest !== undefined) return `${gravest.meaning}.`;
	const { facts, kindName, kind } = evidence;
	const name = withVersion(NAMES[kindName] ?? kind.label, facts.server.version);
	const warnings = findings.filter(({ severity }) => severity === 'warning').length;
	const hint = warnings === 0 ? '' : `, with ${counted(warnings, 'warning')}`;
	const ms = Math.round(facts.latencyMs ?? 0);
	return `${name} answers in ${ms} ms with ${offerOf(evidence)}${hint}.`;
}

/** What the server has: models, an app, or knowledge bases. */
function offerOf({ facts: { app, models }, observations }: Evidence): string {
	if (app !== undefined) return `the app "${app.name ?? ''}"${app.mode ? ` (${app.mode})` : ''}`;
	if (observations.service === 'modelServer') return counted(models.length, 'model');
	const total = knowledgeBases(observations);
	return total === undefined ? 'its knowledge bases' : counted(total, 'knowledge base');
}

function counted(count: number, noun: string): string {
	return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
