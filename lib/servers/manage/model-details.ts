import type { Connection } from '../../http/connection';
import { isFilled, isRecord, nonEmptyText, optional, recordOf, recordsIn } from '../../values';
import { type KindName, kindOf } from '../kinds';
import { listModels } from '../model-list';
import { requireModel } from '../model-names';
import { ollamaEntries, readOllamaModel, readProps } from '../models';
import { CALL_MS, offeredModel } from './model-work';
import { optionalJson } from '../optional-json';
import { kindFor } from '../purpose';

/**
 * Everything that a server tells about one model. Loads nothing.
 *
 * @throws {ServerError} also if the server does not have the model
 */
export async function modelDetails(
	connection: Connection,
	{ model, signal }: { model: string; signal?: AbortSignal },
) {
	requireModel(model);
	const server = await kindFor(connection, model, signal);
	const { hasOllamaApi, llamaApi, modelRoot } = kindOf(server);
	if (hasOllamaApi === true) return await fromOllamaApi(connection, { model, server, signal });
	const models = await listModels(connection, signal);
	const found = offeredModel(connection, models, model, server);
	if (llamaApi === 'oneModel')
		return { ...found, server, ...(await propsOf(connection, '/props', signal)) };
	// For a model that is not loaded, this request would make a router load it.
	if (llamaApi === 'router' && found.state === 'loaded') {
		const path = `/props?model=${encodeURIComponent(found.id)}&autoload=false`;
		return { ...found, server, ...(await propsOf(connection, path, signal)) };
	}
	if (modelRoot === undefined) return { ...found, server };
	const running = await optionalJson(connection, '/running', { timeoutMs: CALL_MS, signal });
	const process = recordsIn(running?.running).find((one) => one.model === found.id);
	return { ...found, server, ...optional({ process }) };
}

async function propsOf(connection: Connection, path: string, signal: AbortSignal | undefined) {
	const props = await optionalJson(connection, path, { timeoutMs: CALL_MS, signal });
	if (props === undefined) return {};
	const template = nonEmptyText(props.chat_template);
	return { ...readProps(props), ...optional({ template }) };
}

async function fromOllamaApi(
	connection: Connection,
	{ model, server, signal }: { model: string; server: KindName; signal?: AbortSignal },
) {
	const url = `${connection.url.root}/api/show`;
	const answer = await connection.call(url, {
		json: { model },
		once: false,
		timeoutMs: CALL_MS,
		signal,
	});
	if (answer.status >= 300 || !isRecord(answer.json)) {
		if (answer.status === 404) offeredModel(connection, [], model, server);
		throw connection.refusal(answer, { model });
	}
	const shown = answer.json;
	const loaded = ollamaEntries(
		await optionalJson(connection, '/api/ps', { timeoutMs: CALL_MS, signal }),
	);
	const running = loaded === undefined ? undefined : (named(loaded, model) ?? null);
	const { template, parameters, system, license, capabilities, model_info: info } = shown;
	const more = {
		...(running === undefined || running === null ? {} : { running }),
		template,
		parameterText: parameters,
		system,
		license,
		capabilities,
		// Ollama already leaves out the vocabulary and other long lists, as null.
		modelInfo: Object.fromEntries(
			Object.entries(recordOf(info)).filter(
				([, value]) => value !== null && typeof value !== 'object',
			),
		),
	};
	return {
		...readOllamaModel(model, { shown, running }),
		server,
		...Object.fromEntries(Object.entries(more).filter(([, value]) => isFilled(value))),
	};
}

function named<T>(entries: ReadonlyMap<string, T>, model: string): T | undefined {
	return entries.get(model) ?? entries.get(`${model}:latest`);
}
