import { difyFindings } from './dify';
import { expectationFindings } from './expectations';
import { capacityFindings } from './capacity';
import { describeServer } from '../server-facts';
import { keyFindings, refusedKeyFinding } from './key';
import { movedFindings, speaksOtherScheme, withAlternative } from './address';
import {
	advise,
	agoOf,
	describeProbe,
	fromFailure,
	failureFor,
	AS_WARNING,
	overallStatus,
	sorted,
	withoutStatus,
	type FindingWithStatus,
} from './finding';
import { bodyOf, listOf, modelsIn, kindOfServer } from '../answers';
import type {
	Finding,
	HealthServerKind,
	HealthStatus,
	Observations,
	Probe,
	ProbeFailure,
	ServerReport,
} from '../observations';
import { looksLikeHtml } from '../../errors/failed-answer';
import type { FailureKind } from '../../errors/kinds';
import { isModelNamed } from '../../servers/model-names';
import { isRecord, words } from '../../values';

/** An older check says nothing about now. */
const RECENT_MS = 30 * 60_000;
const SLOW_MS = 1_000;
/** A single step of computing takes seconds at most, also for a large batch on a slow GPU. */
const STUCK_MS = 30_000;
/**
 * Status, findings and summary from what a check observed. Pure. Order and rows follow docs/protocols/llama-server.md
 * 9.3 and dify 1, 6.
 */
export function diagnose(observations: Observations) {
	const report = describeServer(observations);
	const found = sorted(findAll(observations, report));
	const status = overallStatus(found);
	const findings = withoutStatus(found);
	return { status, findings, summary: summarise(status, findings, report, observations), report };
}

function findAll(observations: Observations, report: ServerReport): FindingWithStatus[] {
	const { rejected } = observations;
	if (rejected !== undefined) return [fromFailure(rejected, rejected.message)];
	const blocked = connectionFindings(observations);
	if (blocked.length > 0) return blocked;
	if (observations.service === 'dify') return difyFindings(observations);
	const closed = apiFindings(observations, report);
	if (closed.length > 0) return closed;
	const key = keyFindings(observations, report.server.kind);
	if (key.some(({ severity }) => severity === 'error')) return key;
	return [
		...key,
		...movedFindings(observations.probes.models),
		...liveness(observations, report),
		...routerFindings(observations),
		...expectationFindings(observations, report),
		...capacityFindings(observations, report),
	];
}

/**
 * Of several failures the first in this list says most: after a crash one request is cut off and the others are
 * refused.
 */
const MOST_TELLING: FailureKind[] = [
	'blockedByPolicy',
	'proxy',
	'dns',
	'refused',
	'connectTimeout',
	'unreachable',
	'tlsMismatch',
	'tlsUntrusted',
	'notHttp',
	'closedBeforeAnswer',
];

/** Whether anything answered at all, and if not, why. */
function connectionFindings(observations: Observations): FindingWithStatus[] {
	const probes = Object.values(observations.probes);
	const failed = probes.flatMap((probe) => (probe.answered ? [] : [probe]));
	if (failed.length < probes.length || failed.length === 0) return [];
	const probe =
		MOST_TELLING.flatMap((kind) => failed.filter(({ failure }) => failure.kind === kind))[0] ??
		failed[0]!;
	const { root = '' } = observations.url ?? {};
	const failure = speaksOtherScheme(observations)
		? failureFor('tlsMismatch', { url: probe.url, root })
		: probe.failure;
	const observed = describeProbe(probe);
	const { hostname, port } = new URL(probe.url);
	const endless = failed.find(({ failure: { began } }) => began === true);
	if (endless !== undefined && failure.kind === 'totalLimit')
		return [advise('endlessAnswer', describeProbe(endless))];
	if (failure.kind === 'totalLimit')
		return [advise('noAnswer', observed, { port: port || undefined })];
	const { before } = observations;
	if (failure.kind === 'refused' && before !== undefined && before.msAgo < RECENT_MS) {
		const facts = { ago: agoOf(before), host: hostname };
		return [
			advise(before.status === 'loading' ? 'exitedWhileLoading' : 'serverExited', observed, facts),
		];
	}
	return [fromFailure(failure, ...withAlternative(observations, observed, failure.remedy))];
}

/** Whether the API answers and accepts the key. */
function apiFindings(observations: Observations, report: ServerReport): FindingWithStatus[] {
	const { probes, url } = observations;
	const { models, health } = probes;
	if (models === undefined || url === undefined) return [];
	const { kind } = report.server;
	if (kind === 'dify') return [advise('thisIsDify', describeProbe(models), { url: url.origin })];
	const loading = [models, health].find((probe) => failureOf(probe)?.kind === 'loading');
	if (loading !== undefined)
		return [fromFailure(failureOf(loading)!, describeProbe(loading), { advice: LOADING_ADVICE })];
	if (listOf(models) !== undefined && answersAllAlike(probes))
		return [
			fromFailure(
				failureFor('wrongServer'),
				`${describeProbe(models)}, the same as at every other route`,
			),
		];
	if (listOf(models) !== undefined || report.models.length > 0) return [];
	const isUp = health?.answered === true && health.status === 200;
	const observed =
		isUp && models.answered
			? `${describeProbe(health)}; ${describeProbe(models)}`
			: describeProbe(models);
	if (!models.answered && models.failure.kind === 'totalLimit')
		return [advise('stuck', `${describeProbe(models)}${isUp ? `; ${describeProbe(health)}` : ''}`)];
	const failure = failureOf(models) ?? failureFor('invalidAnswer', { root: url.root });
	if (failure.kind === 'unauthorized' || failure.kind === 'forbidden')
		return [refusedKeyFinding(observations, failure, observed, kind)];
	if (failure.kind === 'wrongPath' && kindOfServer(kind).hasOllamaApi === true)
		return [advise('ollamaWithoutV1', observed, { url: url.origin })];
	return [fromFailure(failure, ...withAlternative(observations, observed, failure.remedy))];
}

const LOADING_ADVICE =
	'Wait for it with the operation "Wait Until Ready". Large models on slow disks take minutes; if it never ends, read the log of the server.';

function failureOf(probe: Probe | undefined): ProbeFailure | undefined {
	return probe?.failure;
}

/** Signs that the server answers without being able to work. */
function liveness(
	{ probes, unchangedMs = 0 }: Observations,
	report: ServerReport,
): FindingWithStatus[] {
	const { health, metrics, slots } = probes;
	const findings: FindingWithStatus[] = [];
	const isLlama = kindOfServer(report.server.kind).llamaApi === 'oneModel';
	const silent = [isLlama ? metrics : undefined, slots, health].find(
		(probe) => probe !== undefined && !probe.answered && probe.failure.kind === 'totalLimit',
	);
	if (silent !== undefined) {
		const upBeside = health?.answered === true ? `; ${describeProbe(health)}` : '';
		findings.push(advise('stuck', describeProbe(silent) + upBeside));
	} else if (unchangedMs >= STUCK_MS) {
		findings.push(
			advise(
				'stuck',
				`${report.slots.busy} running, but nothing was computed for ${Math.round(unchangedMs / 1000)} s`,
			),
		);
	}
	if (health?.answered === true && saysUnwell(health, report.server.kind))
		findings.push(advise('unwell', describeProbe(health)));
	if (report.latencyMs !== null && report.latencyMs > SLOW_MS)
		findings.push(
			advise('slow', `The fastest answer took ${Math.round(report.latencyMs)} ms`, {
				ms: Math.round(report.latencyMs),
			}),
		);
	if (report.sleeping === true) findings.push(advise('sleeping', '/props says is_sleeping'));
	if (report.server.kind === 'unknown')
		findings.push(advise('unknownServer', 'No answer carries the marks of a known server'));
	return findings;
}

const UNWELL =
	/^(?:un(?:healthy|available)|not[ _-]?(?:healthy|ok|ready)|down|dead|error|fail(?:ed|ing)?|critical)$/i;

/**
 * The list of models may be static while the engine is dead (SGLang, TGI): then `/health` tells. Web pages and errors
 * of a gateway do not count.
 */
function saysUnwell(
	{ status, text, headers, json }: Extract<Probe, { answered: true }>,
	kind: HealthServerKind,
): boolean {
	if (looksLikeHtml(text, headers['content-type'])) return false;
	if (status < 300 && isRecord(json))
		return UNWELL.test(words(json.status)) || json.healthy === false;
	if (status < 300) return UNWELL.test(words(json ?? text).trim());
	// On an unknown server the route may mean something else.
	return kind === 'openAiCompatible'
		? status === 503
		: status >= 500 && status !== 502 && status !== 504;
}

/** Whether the server gives the same JSON on every route. */
function answersAllAlike({
	models,
	props,
	version,
	ollamaVersion,
}: Observations['probes']): boolean {
	const [first, ...others] = [models, props, version, ollamaVersion].map((probe) =>
		probe?.answered === true && probe.status < 300 ? probe.text.trim() : '',
	);
	return first !== undefined && first !== '' && others.every((text) => text === first);
}

/** Command-line options whose values are secret. */
const SECRET_OPTION = /^(?:--api-key|--hf-token|-hft)(?:=|$)/;

/** Models of a router that failed to load. They are only a warning if another model is wanted. */
function routerFindings({ probes, expectations }: Observations): FindingWithStatus[] {
	return modelsIn(probes.models).flatMap((model): FindingWithStatus[] => {
		const { id, state, exitCode, args = [] } = model;
		if (state !== 'failed') return [];
		const facts = { model: id, exitCode, args: withoutSecrets(args).join(' ') };
		const observed = `/v1/models says that ${id} failed, exit code ${exitCode ?? 'unknown'}`;
		if (expectations.model === undefined)
			return [advise('modelFailed', observed, facts, { status: 'degraded' })];
		return isModelNamed(model, expectations.model)
			? [advise('modelFailed', observed, facts)]
			: [advise('modelFailed', observed, facts, AS_WARNING)];
	});
}

/** The command line of a router's model, without the program and without keys. */
function withoutSecrets(args: readonly string[]): string[] {
	return args
		.slice(1)
		.map((arg, at) =>
			SECRET_OPTION.test(args[at] ?? '') && !args[at]!.includes('=')
				? '***'
				: arg.replace(/^(--(?:api-key|hf-token))=.*$/, '$1=***'),
		);
}

const NAMES: Partial<Record<ServerReport['server']['kind'], string>> = {
	dify: 'Dify',
	unknown: 'A server of unknown kind',
};

function summarise(
	status: HealthStatus,
	findings: readonly Finding[],
	report: ServerReport,
	{ probes, service }: Observations,
): string {
	const { server, latencyMs, models, app } = report;
	const first = findings[0];
	if (status !== 'healthy' && first !== undefined) return `${first.meaning}.`;
	const name = [NAMES[server.kind] ?? kindOfServer(server.kind).label, server.version]
		.filter((part) => part !== null)
		.join(' ');
	const what =
		app !== undefined
			? `the app "${app.name ?? ''}"${app.mode === null ? '' : ` (${app.mode})`}`
			: service === 'dify'
				? knowledgeBases(probes.difyDatasets)
				: counted(models.length, 'model');
	const warnings = findings.filter(({ severity }) => severity === 'warning').length;
	const hint = warnings === 0 ? '' : `, with ${counted(warnings, 'warning')}`;
	return `${name} answers in ${Math.round(latencyMs ?? 0)} ms with ${what}${hint}.`;
}

function knowledgeBases(probe: Probe | undefined): string {
	const { total } = bodyOf(probe);
	return typeof total === 'number' ? counted(total, 'knowledge base') : 'its knowledge bases';
}

function counted(count: number, what: string): string {
	return `${count} ${what}${count === 1 ? '' : 's'}`;
}
