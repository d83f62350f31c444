import { resolveDifyBase } from '../dify/base-url';
import type { ProbeName } from './observations';
import { named, tryOtherRoads, type Plan, type Seen } from './probes';

/**
 * Asks for both kinds of key: a key of the wrong family is refused in the same words as an unknown one (contract dify 1.3, A3), and only the
 * other family's route tells them apart. Every answer names the version in a header, refusals included.
 */
export async function difyPlan(plan: Plan): Promise<Seen> {
	const base = resolveDifyBase(plan.connection.url.typed);
	const questions: Partial<Record<ProbeName, string>> = {
		difyInfo: `${base}/info`,
		difyDatasets: `${base}/datasets?page=1&limit=1`,
		...(plan.target.keyType === 'knowledge' ? {} : { difyParameters: `${base}/parameters` }),
	};
	const probes = await named(Object.fromEntries(Object.entries(questions).map(([name, url]) => [name, plan.ask(url)])));
	const main = probes.difyInfo;
	const api = `${plan.connection.url.origin}/v1`;
	// Neither a yes nor a no of Dify: a web page, or a path that is not its API.
	const isElsewhere = main?.answered === true && main.json === undefined && api !== base;
	const alternatives = isElsewhere ? [await plan.askElsewhere(api, 'dify')] : await tryOtherRoads(plan, probes, base);
	return { probes, perModel: {}, alternatives };
}
