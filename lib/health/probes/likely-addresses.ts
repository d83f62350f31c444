/** Other addresses that are tried, without the key, where the one of the credential does not lead to the API. */
import type { FailureKind } from '../../errors/kinds';
import { isLoopback, OTHER_DEFAULT_PORT } from '../../errors/remedies';
import { listOf } from '../answers';
import type { Alternative, Probe } from '../observations';
import type { ProbeContext } from './observe';
import type { Probes } from './table';

/** Failures of the list of models that mean that the API lies elsewhere. */
const NOT_THE_API: ReadonlySet<FailureKind | undefined> = new Set([
	'wrongPath',
	'notAnApi',
	'invalidAnswer',
	'wrongServer',
]);

/**
 * A server without TLS may close, answer something that is no TLS, or wait for the rest of what it takes for a request.
 */
const OTHER_SCHEME: ReadonlySet<FailureKind> = new Set([
	'tlsMismatch',
	'closedBeforeAnswer',
	'notHttp',
]);

/** Where the address is not that of the API, tries the API's usual paths. */
export async function tryOtherAddresses(
	context: ProbeContext,
	probes: Probes,
): Promise<Alternative[]> {
	const { models } = probes;
	if (models?.answered !== true) return await tryLikelyAddresses(context, probes);
	const { url } = context.connection;
	// Open WebUI has its API under /api; and a path in the base URL may be one too many.
	const places = isOtherRoute(models)
		? [url.origin, `${url.origin}/api`].filter((place) => place !== url.root)
		: [];
	return await Promise.all(
		places.map(async (place) => await context.askElsewhere(place, 'models')),
	);
}

function isOtherRoute(models: Probe): boolean {
	return listOf(models) === undefined && NOT_THE_API.has(models.failure?.kind);
}

/**
 * Where nothing answers and the failure has one usual cause, tries the likely address. Asks only the same machine, and
 * the same port or the other default port of llama.cpp.
 */
export async function tryLikelyAddresses(
	{ connection: { url }, askElsewhere }: ProbeContext,
	probes: Probes,
	base = url.root,
): Promise<Alternative[]> {
	const all = Object.values(probes);
	const failures = all.flatMap((probe) => (probe.answered ? [] : [probe.failure.kind]));
	if (failures.length < all.length) return [];
	const places: string[] = [];
	// From inside a container, this is the machine that runs it.
	if (failures.includes('refused') && isLoopback(new URL(url.origin).hostname))
		places.push(withHost(base, 'host.docker.internal'));
	const { port } = new URL(base);
	const otherPort = OTHER_DEFAULT_PORT[port];
	if (failures.includes('refused') && otherPort !== undefined)
		places.push(withPort(base, otherPort));
	const isTls = base.startsWith('https:');
	const isOtherScheme = (kind: FailureKind) =>
		OTHER_SCHEME.has(kind) || (isTls && kind === 'connectTimeout');
	if (failures.some(isOtherScheme)) places.push(withOtherScheme(base));
	return await Promise.all(places.map(async (place) => await askElsewhere(place, 'anything')));
}

function withPort(url: string, port: string): string {
	const changed = new URL(url);
	changed.port = port;
	return changed.href.replace(/\/$/, '');
}

function withHost(url: string, host: string): string {
	const changed = new URL(url);
	changed.hostname = host;
	return changed.href.replace(/\/$/, '');
}

function withOtherScheme(url: string): string {
	return url.startsWith('https:')
		? url.replace(/^https:/, 'http:')
		: url.replace(/^http:/, 'https:');
}
