/** Signs that a server answers without being able to work. */
import { looksLikeHtml } from '../../errors/failed-answer';
import { isModelNamed } from '../../servers/model-names';
import type { ServerModel } from '../../servers/models';
import { isRecord, words } from '../../values';
import { modelsIn } from '../answers';
import type { Probe } from '../observations';
import { movedFinding } from './address';
import { advise, AS_WARNING, describeProbe, type FindingWithStatus } from './finding';
import type { Evidence, Rules } from './rules';

type Answered = Extract<Probe, { answered: true }>;

const SLOW_MS = 1_000;
/** A single step of computing takes seconds at most, also for a large batch on a slow GPU. */
const STUCK_MS = 30_000;

export const LIVENESS_RULES: Rules = {
	moved: ({ observations: { probes } }) => movedFinding(probes.models),

	stuck: (evidence) => silentFinding(evidence) ?? unchangedFinding(evidence),

	unwell: ({ observations: { probes }, kindName }) => {
		const { health } = probes;
		if (health?.answered !== true) return undefined;
		const isUnwell = reportsIll(health, kindName === 'openAiCompatible');
		return isUnwell ? advise('unwell', describeProbe(health)) : undefined;
	},

	slow: ({ facts }) => {
		const ms = Math.round(facts.latencyMs ?? 0);
		return ms > SLOW_MS ? advise('slow', `The fastest answer took ${ms} ms`, { ms }) : undefined;
	},

	sleeping: ({ facts }) =>
		facts.sleeping === true ? advise('sleeping', '/props says is_sleeping') : undefined,

	unknownServer: ({ kindName }) =>
		kindName === 'unknown'
			? advise('unknownServer', 'No answer carries the marks of a known server')
			: undefined,

	modelFailed: (evidence) =>
		modelsIn(evidence.observations.probes.models)
			.filter(({ state }) => state === 'failed')
			.map((model) => failedModelFinding(model, evidence)),
};

function silentFinding(evidence: Evidence): FindingWithStatus | undefined {
	const silent = silentProbe(evidence);
	if (silent === undefined) return undefined;
	const { health } = evidence.observations.probes;
	if (health?.answered !== true) return advise('stuck', describeProbe(silent));
	return advise('stuck', `${describeProbe(silent)}; ${describeProbe(health)}`);
}

function unchangedFinding({ observations, facts }: Evidence): FindingWithStatus | undefined {
	const { unchangedMs = 0 } = observations;
	if (unchangedMs < STUCK_MS) return undefined;
	const seconds = Math.round(unchangedMs / 1000);
	return advise('stuck', `${facts.slots.busy} running, but nothing was computed for ${seconds} s`);
}

/** A probe of the part that runs the model without an answer. */
function silentProbe({ observations: { probes }, kind }: Evidence): Probe | undefined {
	const { metrics, slots, health } = probes;
	const ofModel = kind.health.reports === 'server' ? [metrics, slots, health] : [slots, health];
	return ofModel.find((probe) => probe?.answered === false && probe.failure.kind === 'totalLimit');
}

const UNWELL =
	/^(?:un(?:healthy|available)|not[ _-]?(?:healthy|ok|ready)|down|dead|error|fail(?:ed|ing)?|critical)$/i;

/**
 * The list of models may be static while the engine is dead (SGLang, TGI): then `/health` tells. Web pages and errors
 * of a gateway do not count.
 */
function reportsIll(health: Answered, isUnknownKind: boolean): boolean {
	const { status, text, headers, json } = health;
	if (looksLikeHtml(text, headers['content-type'])) return false;
	if (status < 300) return namesIllness(json ?? text);
	// On an unknown server the route may mean something else.
	if (isUnknownKind) return status === 503;
	return status >= 500 && status !== 502 && status !== 504;
}

function namesIllness(answer: unknown): boolean {
	if (!isRecord(answer)) return UNWELL.test(words(answer).trim());
	return answer.healthy === false || UNWELL.test(words(answer.status));
}

/** A model of a router that failed to load. It is only a warning if another model is expected. */
function failedModelFinding(model: ServerModel, { observations }: Evidence): FindingWithStatus {
	const { id, exitCode, args = [] } = model;
	const facts = { model: id, exitCode, args: withoutSecrets(args).join(' ') };
	const observed = `/v1/models says that ${id} failed, exit code ${exitCode ?? 'unknown'}`;
	const expected = observations.expectations.model;
	if (expected === undefined) return advise('modelFailed', observed, facts, { status: 'degraded' });
	return advise('modelFailed', observed, facts, isModelNamed(model, expected) ? {} : AS_WARNING);
}

/** Command-line options whose values are secret. */
const SECRET_OPTION = /^(?:--api-key|--hf-token|-hft)(?:=|$)/;

const SECRET_IN_OPTION = /^(--(?:api-key|hf-token))=.*$/;

/** The command line of a router's model, without the program and without keys. */
function withoutSecrets([, ...args]: readonly string[]): string[] {
	return args.map((arg, at) => {
		const before = args[at - 1] ?? '';
		const isSecret = SECRET_OPTION.test(before) && !before.includes('=');
		return isSecret ? '***' : arg.replace(SECRET_IN_OPTION, '$1=***');
	});
}
