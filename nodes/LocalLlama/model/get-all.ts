import { asFailed } from '../../../lib/errors/server-error';
import { targetsOf, listServerModels } from '../../../lib/health/check';
import { allFailed } from '../../../lib/servers/pool/failover';
import { optional } from '../../../lib/values';
import { booleanField, numberField, optionsCollection } from '../../shared/field-kinds';
import { modelServerTarget } from '../../shared/health/target';
import type { LocalLlamaOperation } from '../operation';

export const modelGetAll: LocalLlamaOperation = {
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many models',
		description:
			'One item for each model of the server, with context, size, abilities and state. Loads nothing.',
	},
	fields: [
		optionsCollection([
			booleanField('Only Loaded Models', 'onlyLoaded', true, {
				description: 'Whether to leave out models that are not in memory, where the server tells',
			}),
			numberField('Time Limit of a Request (Seconds)', 'timeLimit', 2.5, {
				typeOptions: { minValue: 0.1, numberPrecision: 1 },
				description: 'How long to wait for each answer. Raise it for servers far away.',
			}),
		]),
	],
	run: async ({ context, servers, parameters, itemIndex, signal, hint }) => {
		const timeLimitMs = parameters.milliseconds('options.timeLimit', undefined);
		const onlyLoaded = parameters.flag('options.onlyLoaded', false);
		const target = modelServerTarget(
			await context.getCredentials('localLlamaApi', itemIndex),
			context.helpers,
		);
		const limit = optional({ timeLimitMs });
		const lists = await Promise.all(
			targetsOf(target).map(async (server, at) => {
				const { root } = servers.connections[at]!.url;
				const models = await listServerModels(server, { ...limit, signal }).catch(asFailed);
				return 'failed' in models || !servers.hasSeveral
					? models
					: models.map((one) => ({ ...one, serverUrl: root }));
			}),
		);
		const failures = lists.flatMap((list) => ('failed' in list ? [list.failed] : []));
		if (failures.length === lists.length)
			throw failures.length === 1 ? failures[0]! : allFailed(failures);
		for (const { message, url } of failures)
			hint(`A server is left out: ${message} (${url ?? 'no address'}).`);
		return lists
			.flatMap((list) => ('failed' in list ? [] : list))
			.filter(
				({ state }) => !onlyLoaded || state === null || state === 'loaded' || state === 'sleeping',
			)
			.map((json) => ({ json }));
	},
};
