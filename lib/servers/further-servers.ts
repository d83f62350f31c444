/** The further servers of a credential: the same models on more machines. */
import { nonEmptyText, quietly, recordOf, recordsIn } from '../values';
import { resolveBaseUrl } from './base-url';

/** An entry of `furtherServers`. */
export interface FurtherServer {
	baseUrl: string;
	/** Empty: the key of the credential. */
	apiKey: string;
	/** Empty: the same model names as on the first server. */
	model: string;
}

/** Reads the entries from n8n's stored form, without empty ones. */
export function readFurtherServers(value: unknown): FurtherServer[] {
	const read = (field: unknown) =>
		typeof field === 'number' ? String(field) : (nonEmptyText(field) ?? '').trim();
	return recordsIn(recordOf(value).server)
		.map(({ baseUrl, apiKey, model }) => ({
			baseUrl: read(baseUrl),
			apiKey: read(apiKey),
			model: read(model),
		}))
		.filter((server) => Object.values(server).some((field) => field !== ''));
}

/** Leaves out servers with the same address: listed twice, one would get twice its share of requests. */
export function withoutDuplicates<S extends { baseUrl: string }>(servers: readonly S[]): S[] {
	const seen = new Set<string>();
	return servers.filter(({ baseUrl }) => {
		const address = addressOf(baseUrl);
		// An invalid address is reported where it is used.
		if (address === undefined) return true;
		return seen.has(address) ? false : seen.add(address);
	});
}

/** Whether the first server's key, which is sent over https there, would be sent over http. */
export function losesEncryption(first: string, further: string): boolean {
	return (
		addressOf(first)?.startsWith('https:') === true &&
		addressOf(further)?.startsWith('http:') === true
	);
}

function addressOf(baseUrl: string): string | undefined {
	return quietly(() => resolveBaseUrl(baseUrl).api);
}

/**
 * Parses the field for model names on a server: one name for every model (`qwen3:8b`), or pairs of the requested name
 * and the name there (`qwen3-8b = qwen3:8b, bge-m3 = bge-m3:567m`). Models without a pair keep their name.
 */
export function modelNameMapping(typed: string): ((asked: string) => string) | undefined {
	if (typed === '') return undefined;
	if (!typed.includes('=')) return () => typed;
	const pairs = typed
		.split(/[,;\n]/)
		.map((pair) => pair.split(/=(.*)/s).map((name) => name.trim()));
	const names = new Map(
		pairs.flatMap(([asked = '', there = '']) => (asked && there ? [[asked, there]] : [])),
	);
	return (asked) => names.get(asked) ?? asked;
}
