import { describeDifyFailure } from '../dify/errors';
import type { DifyFailureKind } from '../dify/codes';
import { isRecord } from '../values';
import { remedyFor } from '../errors/remedies';
import { movedFindings, withAlternative } from './alternatives';
import { advise, describeProbe, fromFailure, type FindingWithStatus } from './finding';
import type { HealthStatus, Observations, Probe } from './observations';

type Answered = Extract<Probe, { answered: true }>;

/** What Dify's refusals mean for a check; what to do is in `lib/dify/codes.ts`, for all nodes. */
const MEANING: Partial<Record<DifyFailureKind, { meaning: string; status: HealthStatus }>> = {
	unauthorized: { meaning: 'Dify refuses the API key', status: 'unauthorized' },
	forbidden: { meaning: 'Dify does not allow this to the key', status: 'unauthorized' },
	appDisabled: { meaning: 'The API of this app is switched off in Dify', status: 'misconfigured' },
	appUnusable: {
		meaning: 'The app behind this key, or its workspace, is not usable any more',
		status: 'misconfigured',
	},
	appUnavailable: { meaning: 'The app has no model, or was never published', status: 'misconfigured' },
	notPublished: { meaning: 'The app was never published', status: 'misconfigured' },
	providerCredentials: { meaning: 'Dify has no valid key of the model provider', status: 'misconfigured' },
	webFrontend: {
		meaning: 'A web page answers here, probably the front end of Dify, not its API',
		status: 'misconfigured',
	},
	routeNotFound: { meaning: 'There is no Dify API at this path', status: 'misconfigured' },
	redirect: { meaning: 'The server redirects to another address', status: 'misconfigured' },
	gateway: { meaning: 'A proxy answers, but Dify behind it does not', status: 'unreachable' },
	rateLimited: { meaning: 'Something in front of Dify limits the rate of requests', status: 'degraded' },
};

/** What the answers of a Dify mean: contract dify 1.1 (web front end), 1.3 (keys, app switched off), 2.11 (not published), 6. */
export function difyFindings(observations: Observations): FindingWithStatus[] {
	const { probes, keyType = 'app' } = observations;
	const foreign = Object.values(probes).find(
		(probe) => probe.answered && /llama\.cpp/i.test(probe.headers.server ?? ''),
	);
	if (foreign !== undefined) return [misplaced(foreign)];
	const main = keyType === 'knowledge' ? probes.difyDatasets : probes.difyInfo;
	const other = keyType === 'knowledge' ? probes.difyInfo : probes.difyDatasets;
	if (main === undefined) return [];
	if (!main.answered) return [unanswered(main)];
	if (!isFine(main, keyType)) {
		if (main.status < 300 && isRecord(main.json))
			return [advise('notDify', 'error', describeProbe(main), {}, 'misconfigured')];
		const moved = main.status === 401 ? movedFindings(main) : [];
		if (moved.length > 0) return moved;
		if (main.status === 401 && other?.answered === true && isFine(other, keyType === 'knowledge' ? 'app' : 'knowledge'))
			return [wrongFamily(main, other, keyType)];
		return [refused(observations, main)];
	}
	const { difyParameters: parameters } = probes;
	const fine = [...movedFindings(main), advise('difyNotChecked', 'info', describeProbe(main))];
	if (parameters === undefined) return fine;
	if (!parameters.answered) return [unanswered(parameters)];
	return parameters.status < 300 && isRecord(parameters.json) ? fine : [refused(observations, parameters)];
}

/** Something else did answer, or `connectionFindings` in `diagnosis.ts` would have spoken. */
function unanswered(probe: Extract<Probe, { answered: false }>): FindingWithStatus {
	if (probe.failure.kind === 'totalLimit') return advise('difySlow', 'error', describeProbe(probe), {}, 'degraded');
	return fromFailure(probe.failure, describeProbe(probe), { status: 'degraded' });
}

function isFine(probe: Answered, keyType: 'app' | 'knowledge'): boolean {
	if (probe.status >= 300 || !isRecord(probe.json)) return false;
	const { json } = probe;
	if (keyType === 'knowledge') return Array.isArray(json.data) && typeof json.has_more === 'boolean';
	// Many programs say {"name": …} of themselves. Before 1.0 there was no mode (contract dify 2.10).
	return typeof json.name === 'string' && (typeof json.mode === 'string' || Array.isArray(json.tags));
}

function wrongFamily(main: Answered, other: Answered, keyType: 'app' | 'knowledge'): FindingWithStatus {
	const [is, wanted] =
		keyType === 'app'
			? ['the key of a knowledge base', 'the key of an app']
			: ['the key of an app', 'the key of a knowledge base'];
	const where = keyType === 'app' ? 'from the page API Access of the app' : 'from Knowledge, API Access';
	return {
		id: 'difyWrongKeyType',
		severity: 'error',
		observed: `${describeProbe(main)}; ${describeProbe(other)}`,
		meaning: `This is ${is}, but ${wanted} is needed`,
		advice: `Take ${wanted} ${where}, or change Key Type in the credential.`,
		status: 'unauthorized',
	};
}

function refused(observations: Observations, probe: Answered): FindingWithStatus {
	const failed = describeDifyFailure({
		status: probe.status,
		body: probe.text,
		contentType: probe.headers['content-type'],
		url: probe.endedAt ?? probe.url,
		method: 'GET',
	});
	const kind = failed.kind === 'emptyAnswer' && probe.status < 300 ? 'routeNotFound' : failed.kind;
	const known = MEANING[kind];
	const isKeyMissing = kind === 'unauthorized' && !observations.keySet;
	const observed = `${probe.method} ${probe.url}: HTTP ${probe.status}${failed.code === undefined ? '' : ` ${failed.code}`}, "${failed.message}"`;
	const [seen, change] = withAlternative(observations, observed, failed.remedy);
	return {
		id: `dify${camel(kind)}`,
		severity: 'error',
		observed: seen,
		meaning: isKeyMissing
			? remedyFor('unauthorized', { keyMissing: true }).message
			: (known?.meaning ?? 'Dify failed to answer a simple question'),
		advice: failed.remedy,
		status: known?.status ?? 'degraded',
		...change,
	};
}

function misplaced(probe: Probe): FindingWithStatus {
	return {
		id: 'thisIsAModelServer',
		severity: 'error',
		observed: describeProbe(probe),
		meaning: 'llama-server answers here, not Dify',
		advice:
			'Choose Model Server in this node with a "LocalLlama API" credential, or correct the base URL of the "Dify API" credential.',
		status: 'misconfigured',
	};
}

/** `appDisabled` → `AppDisabled` */
function camel(kind: string): string {
	return kind.replace(/(?:^|-)([a-z])/g, (_all, letter: string) => letter.toUpperCase());
}
