import { looksLikeHtml } from '../../errors/failed-answer';
import { isRecord, type JsonRecord, optional } from '../../values';
import { bodyOf, entriesOf, textIn } from './evidence';
import type { ServerAnswers } from './answers';
import type { ServerKind } from './kind';
import {
	explainEmptyAnswer,
	refuseUnseenPictures,
	remarkOnDroppedMessages,
	templateOnOllama,
} from './ollama-api/chat';
import {
	fetchIt,
	listOnOllama,
	loadOnOllama,
	pullOnOllama,
	removeOnOllama,
	unloadOnOllama,
	withOllamaDetails,
	withOllamaPurposes,
} from './ollama-api/models';
import { isSameOllamaName } from './ollama-api/names';
import { openAiCompatible } from './openai-compatible';
import { OLLAMA_REMEDIES } from './remedies';

/**
 * Ollama (docs/protocols/llama-server.md 8.2). Many servers answer `/api/version`, some exactly like Ollama, whose API
 * they imitate (LocalAI, Lemonade, KoboldCpp, Open WebUI). Only in Ollama's own list of models is the owner `library`,
 * or the namespace in the model's name.
 */
export const ollama: ServerKind = {
	...openAiCompatible,
	label: 'Ollama',
	recognizes: (answers) => {
		const models = entriesOf(answers);
		if (models !== undefined && models.length > 0)
			return models.every(isOllamaEntry) && isOllamaVersion(answers);
		return answers.apiVersion !== undefined && isOllamaVersion(answers) && mayHaveNoModels(answers);
	},
	version: (answers) => textIn(answers, 'apiVersion', 'version'),
	signs: {
		fingerprint: 'fp_ollama',
		// The text of Go's web server for an unknown route.
		refusal: /^\s*404 page not found\s*$/,
	},
	key: { isNeverNeeded: true },
	chat: {
		...openAiCompatible.chat,
		// Through its native API; the OpenAI one ignores them (docs/protocols/ollama.md 4.4).
		nativeProtocol: 'ollama',
		fields: {
			extra: ['topK', 'minP', 'repeatPenalty', 'repeatLastN'],
			own: ['contextSize', 'keepAlive'],
			takesUnlimited: true,
		},
		grammar: undefined,
		schema: { isEnforced: true },
		thinking: { switch: 'effort', fields: ['reasoning'] },
		toolChoice: 'ignored',
		videoField: undefined,
		// Seen with 0.17.4: only gpt-oss has thinking efforts, none has "minimal", and some models cannot think.
		refusals: [
			...openAiCompatible.chat.refusals,
			{
				says: /think value .{0,200} is not supported for this model/i,
				then: 'withoutThinkingSetting',
				note: 'This model of Ollama knows no levels of thinking, only on and off, so the thinking effort was left out.',
			},
			{
				says: /invalid (?:reasoning value: 'minimal'|think value: "minimal")/i,
				then: 'lowThinkingEffort',
				note: 'This Ollama does not know the thinking effort "minimal", so it was asked for "low".',
			},
			{
				says: /does not support thinking/i,
				then: 'withoutThinkingSetting',
				note: 'This model cannot think, so the setting Thinking was left out. Choose a model that can ("ollama show NAME" lists "thinking" under its capabilities), or set Thinking to Server Default.',
			},
		],
		template: templateOnOllama,
		refuseUnseenPictures,
		remarkOnDroppedMessages,
		explainEmptyAnswer,
		// ollama.com/cloud: gpt-oss:120b-cloud, glm-4.6:cloud.
		remarkOnCloudModel: (model) =>
			/[:-]cloud$/.test(model)
				? `The model "${model}" runs in Ollama's cloud, so this conversation was sent there.`
				: undefined,
	},
	completion: { prompt: '/api/generate' },
	models: {
		isSameName: isSameOllamaName,
		list: listOnOllama,
		withDetails: withOllamaDetails,
		withPurposes: withOllamaPurposes,
		load: loadOnOllama,
		unload: unloadOnOllama,
		pull: pullOnOllama,
		remove: removeOnOllama,
	},
	embeddings: {
		refusesLongTexts: true,
		request: ({ model, input, truncate, dimensions, keepAlive }) => ({
			path: '/api/embed',
			json: { model, input, truncate, ...optional({ dimensions, keep_alive: keepAlive }) },
		}),
	},
	rerank: { isMissing: true },
	// Seen with 0.17.4: 200 with an empty body after half a minute.
	media: { needsModel: true, swallowsImageRequests: true },
	health: { reports: 'models' },
	words: {
		...openAiCompatible.words,
		remedies: OLLAMA_REMEDIES,
		noModels: 'Fetch one with: ollama pull qwen3:8b',
		missingModel: fetchIt,
		embeddingsOff: 'Fetch an embedding model, for example: ollama pull nomic-embed-text',
		rerankOff:
			'Ollama has no rerank route. Use llama-server with --rerank and a reranker model, vLLM or GPUStack.',
		moreContext: (tokens) =>
			`Set Context Size to ${tokens} in the options of the node, start Ollama with OLLAMA_CONTEXT_LENGTH=${tokens}, or set num_ctx in the Modelfile.`,
		parseTools: () =>
			'Give the model a TEMPLATE with {{ .Tools }} in its Modelfile, or take a model from ollama.com that lists "tools" under its capabilities (ollama show NAME).',
		// Seen with 0.17.4: when its runner dies, the cause is only in Ollama's log.
		cutStream:
			'Ollama ends a stream like this when the process that runs the model has failed, and does not pass the cause on. Its log tells the cause (ollama serve, journalctl -u ollama, docker logs). Most often there is not enough memory. Its own API does pass it on: the node uses that one as soon as Context Size or Keep Alive is set in its options. What had arrived is in the details.',
	},
};

/** Whether the answer is `{"version":"…"}` and nothing else. True if it was not asked: then only the list counts. */
function isOllamaVersion({ apiVersion }: ServerAnswers): boolean {
	if (apiVersion === undefined) return true;
	const keys = Object.keys(bodyOf(apiVersion));
	return keys.length === 1 && keys[0] === 'version';
}

/** Its names always have a tag; `openai/gpt-4o` of the owner `openai` is one of a gateway. */
function isOllamaEntry({ id, owned_by: owner }: JsonRecord): boolean {
	if (typeof id !== 'string' || typeof owner !== 'string') return false;
	const isOfOther = owner !== '' && id.includes(`${owner}/`) && /:[^/]+$/.test(id);
	return owner === 'library' || isOfOther;
}

/**
 * Whether this may be an Ollama without models, which sends null as its list, or one without OpenAI's routes at this
 * path, which answers 404 in plain text.
 */
function mayHaveNoModels({ models }: ServerAnswers): boolean {
	if (models === undefined) return true;
	if (models.status < 300) return isRecord(models.json) && models.json.data === null;
	return models.json === undefined && !looksLikeHtml(models.text, models.headers['content-type']);
}
