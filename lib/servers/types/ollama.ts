import { SERVER_TEXTS } from '../../errors/chapters/server-texts';
import type { JsonRecord } from '../../values/records';
import {
	isRecord,
	asNonEmptyString,
	asRecords,
	asString,
	omitUndefined,
	asRecord,
} from '../../values/records';
import { asFiniteNumber } from '../../values/numbers';
import { findTemplateTokens } from '../../text/turn-tokens';
import { tryProbeObject } from '../probe';
import type { ServerModel } from '../server-model';
import { readDecisions, toStrings, asPositiveNumber } from '../parse-models';
import type { ModelServer, QueryOptions, ServerType } from './server-type';
import { ollamaActions } from './ollama-actions';
import { isSameOllamaName, fetchRunningModel } from './ollama-models';

/** Ollama (docs/protocols/ollama.md). */
export const ollama: ServerType = {
	name: 'ollama',
	label: 'Ollama',
	supportedFields: ['topK', 'minP', 'repeatPenalty', 'repeatLastN', 'contextSize', 'keepAlive'],
	// Gateways may have only the routes of OpenAI's API.
	routes: {
		chat: ['ollamaChat', 'openAiChat'],
		complete: ['ollamaGenerate', 'openAiCompletions'],
		embed: ['ollamaEmbed', 'openAiEmbeddings'],
	},
	// A pattern or a long maxLength ends its runner, a look-ahead the whole server (seen: 0.17.4).
	compilesSchemas: 'formats',
	supportsUnlimitedTokens: true,
	// docs/capabilities/thinking.mdx; openai/openai.go (thinkFromReasoningEffort) names the same neighbors for OpenAI's route.
	thinking: {
		switch: 'effort',
		budgetFields: [],
		nearestEfforts: { minimal: 'low', xhigh: 'max' },
	},
	reasoningFields: ['reasoning'],
	toolChoiceSupport: 'ignored',
	hasEveryRoute: true,
	getTruncationLimit: async (...args) =>
		asFiniteNumber((await fetchRunningModel(...args))?.context_length),
	isCloudModel,
	getModelWarning: (model) =>
		isCloudModel(model)
			? `The model "${model}" runs in Ollama's cloud, so this conversation was sent there.`
			: undefined,
	fetchModel: async (server, model, options) => {
		const details = await tryProbeObject(server, '/api/show', { ...options, json: { model } });
		if (details === undefined) return undefined;
		const templateTokens = findTemplateTokens(asString(details.template) ?? '');
		return { ...parseOllamaModel(model, { shown: details }), templateTokens };
	},
	showsTemplate: true,
	listsNoDecisions: true,
	enrichModels: addTags,
	isSameModel: isSameOllamaName,
	modelActions: ollamaActions,
	texts: SERVER_TEXTS.ollama,
};

/** Such as gpt-oss:120b-cloud and glm-4.6:cloud (docs.ollama.com/cloud). */
function isCloudModel(model: string): boolean {
	return /[:-]cloud$/.test(model);
}

/** Adds the facts of `/api/tags` and `/api/ps`, which load nothing. Releases before 0.35 list no capabilities there. */
async function addTags(server: ModelServer, models: ServerModel[], options?: QueryOptions) {
	const [tags, running] = await Promise.all([
		tryProbeObject(server, '/api/tags', options).then(indexOllamaEntries),
		tryProbeObject(server, '/api/ps', options).then(indexOllamaEntries),
	]);
	return models.map((model) => {
		const tag = tags.get(model.id);
		if (tag === undefined) return model;
		const process = running.get(model.id);
		return {
			...parseOllamaModel(model.id, { tag, running: process }),
			state: process ? 'loaded' : 'unloaded',
			...model,
		};
	});
}

/** Ollama's responses about a model. */
interface OllamaResponses {
	/** Its entry in `/api/tags`. */
	tag?: JsonRecord;
	/** Its entry in `/api/ps`, if it is loaded. */
	running?: JsonRecord;
	/** The response of `/api/show`. */
	shown?: JsonRecord;
}

export function parseOllamaModel(
	id: string,
	{ tag = {}, running = {}, shown = {} }: OllamaResponses,
): ServerModel {
	const details = isRecord(tag.details) ? tag.details : asRecord(shown.details);
	const info = asRecord(shown.model_info);
	const bytes = asPositiveNumber(running.size);
	const gpuBytes = asFiniteNumber(running.size_vram);
	const contextEntry = Object.entries(info).find(([name]) => name.endsWith('.context_length'));
	const [, trainedContext = details.context_length] = contextEntry ?? [];
	return {
		id,
		aliases: [],
		...omitUndefined({
			context: asPositiveNumber(running.context_length),
			trainedContext: asPositiveNumber(trainedContext),
			parameters:
				asPositiveNumber(info['general.parameter_count']) ??
				asNonEmptyString(details.parameter_size),
			size: asPositiveNumber(tag.size),
			quantization: asNonEmptyString(details.quantization_level),
			...readCapabilities([shown.capabilities, tag.capabilities].find(Array.isArray), details),
			remoteHost: asNonEmptyString(tag.remote_host) ?? asNonEmptyString(shown.remote_host),
			gpuShare: bytes && gpuBytes !== undefined ? gpuBytes / bytes : undefined,
		}),
	};
}

function readCapabilities(capabilities: unknown[] | undefined, details: JsonRecord) {
	if (capabilities === undefined) {
		// Older releases send no capabilities. Encoders (BERT) generate no text.
		const families = toStrings([details.family, details.families].flat());
		return { embeddings: families.some((family) => /bert/i.test(family)) || undefined };
	}
	return {
		vision: capabilities.includes('vision'),
		audio: capabilities.includes('audio'),
		tools: capabilities.includes('tools'),
		embeddings: capabilities.includes('embedding'),
		// Since 0.35: nimble, tev1, clef.
		...readDecisions(capabilities, { decision: 'decision', text: 'completion' }),
	};
}

/** The entries of `/api/tags` or `/api/ps` by name. */
export function indexOllamaEntries(response: JsonRecord | undefined): Map<string, JsonRecord> {
	const entries = asRecords(response?.models).map((entry) => {
		const name = asNonEmptyString(entry.name) ?? asNonEmptyString(entry.model);
		return [name ?? '', entry] as const;
	});
	return new Map(entries);
}
