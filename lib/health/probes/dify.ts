import { resolveDifyBase } from '../../dify/base-url';
import type { ProbeName } from '../observations';
import type { ProbeContext, ProbeResults } from './observe';
import { awaitProbes, tryLikelyAddresses } from './model-server';

/**
 * Probes the routes of both key types: a key of the wrong type is refused in the same words as an unknown one
 * (docs/protocols/dify.md 1.3, A3), and only the other type's route tells them apart. Every answer names the version in
 * a header, refusals included.
 */
export async function probeDify(context: ProbeContext): Promise<ProbeResults> {
	const base = resolveDifyBase(context.connection.url.typed);
	const questions: Partial<Record<ProbeName, string>> = {
		difyInfo: `${base}/info`,
		difyDatasets: `${base}/datasets?page=1&limit=1`,
		...(context.target.keyType === 'knowledge' ? {} : { difyParameters: `${base}/parameters` }),
	};
	const probes = await awaitProbes(
		Object.fromEntries(Object.entries(questions).map(([name, url]) => [name, context.ask(url)])),
	);
	const main = probes.difyInfo;
	const api = `${context.connection.url.origin}/v1`;
	// Not an answer of Dify's API: a web page, or a wrong path.
	const isElsewhere = main?.answered === true && main.json === undefined && api !== base;
	const alternatives = isElsewhere
		? [await context.askElsewhere(api, 'dify')]
		: await tryLikelyAddresses(context, probes, base);
	return { probes, perModel: {}, alternatives };
}
