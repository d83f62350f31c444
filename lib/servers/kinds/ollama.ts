import { failure } from '../../errors/failure';
import type { ServerError } from '../../errors/server-error';
import { looksLikeHtml } from '../../errors/failed-answer';
import type { Connection } from '../../http/connection';
import { isRecord, optional, recordsIn } from '../../values';
import { isOllamaNamed } from '../model-names';
import { optionalJson } from '../optional-json';
import { bodyOf, entriesOf, textIn } from './evidence';
import type { FittedConversation, ServerAnswers, ServerKind } from './kind';
import { other } from './other';

const ASK_LIMIT_MS = 5_000;
/** Characters that fit into the smallest context that anybody sets. */
const FITS_ANYWHERE = 6_000;
/** Prose has four to five characters per token, code and other scripts fewer: a longer text does not fit. */
const MAX_CHARACTERS_PER_TOKEN = 5;

/**
 * Ollama (docs/protocols/llama-server.md 8.2). Many servers answer `/api/version`, some exactly like Ollama, whose API
 * they imitate (LocalAI, Lemonade, KoboldCpp, Open WebUI). Only in Ollama's own list of models is the owner `library`,
 * or the namespace in the model's name.
 */
export const ollama: ServerKind = {
	...other,
	label: 'Ollama',
	matches: (answers) => {
		const models = entriesOf(answers);
		if (models !== undefined && models.length > 0)
			return models.every(isOllamaEntry) && isOllamaVersion(answers);
		return answers.apiVersion !== undefined && isOllamaVersion(answers) && mayHaveNoModels(answers);
	},
	version: (answers) => textIn(answers, 'apiVersion', 'version'),
	// Through its native API; the OpenAI one ignores them (docs/protocols/ollama.md 4.4).
	extraFields: ['topK', 'minP', 'typicalP', 'repeatPenalty', 'repeatLastN'],
	ownFields: ['contextSize', 'keepAlive'],
	takesUnlimited: true,
	grammar: undefined,
	thinkingSwitch: 'effort',
	thinkingBudget: false,
	toolChoice: 'ignored',
	reasoningFields: ['reasoning'],
	// Seen with 0.17.4: only gpt-oss has thinking efforts, none has "minimal", and some models cannot think.
	refusals: [
		...(other.refusals ?? []),
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
	wantsNoKey: true,
	reranks: false,
	mediaNeedsModel: true,
	// Seen with 0.17.4: 200 with an empty body after half a minute.
	swallowsImageRequests: true,
	hasOllamaApi: true,
	loadsAnewForContext: true,
	fingerprint: 'fp_ollama',
	// The text of Go's web server for an unknown route.
	refusalWords: /^\s*404 page not found\s*$/,
	embeddingRequest: ({ model, input, truncate, dimensions, keepAlive }) => ({
		path: '/api/embed',
		json: {
			model,
			input,
			truncate,
			...optional({ dimensions, keep_alive: keepAlive }),
		},
	}),
	toolParserAdvice: () =>
		'Give the model a TEMPLATE with {{ .Tools }} in its Modelfile, or take a model from ollama.com that lists "tools" under its capabilities (ollama show NAME).',
	advice: {
		noModels: 'Fetch one with: ollama pull qwen3:8b',
		missingModel: (model) => `fetch it: ollama pull ${model}`,
		embeddingsOff: 'Fetch an embedding model, for example: ollama pull nomic-embed-text',
		rerankOff:
			'Ollama has no rerank route. Use llama-server with --rerank and a reranker model, vLLM or GPUStack.',
		moreContext: (tokens) =>
			`Set Context Size to ${tokens} in the options of the node, start Ollama with OLLAMA_CONTEXT_LENGTH=${tokens}, or set num_ctx in the Modelfile.`,
	},
	refuseUnseenPictures,
	remarkOnDroppedMessages,
	// ollama.com/cloud: gpt-oss:120b-cloud, glm-4.6:cloud.
	runsElsewhere: (model) => /[:-]cloud$/.test(model),
	explainEmptyAnswer,
	// Seen with 0.17.4: when its runner dies, the cause is only in Ollama's log.
	cutStreamRemedy:
		'Ollama ends a stream like this when the process that runs the model has failed, and does not pass the cause on. Its log tells the cause (ollama serve, journalctl -u ollama, docker logs). Most often there is not enough memory. Its own API does pass it on: the node uses that one as soon as Context Size or Keep Alive is set in its options. What had arrived is in the details.',
};

/** Whether the answer is `{"version":"…"}` and nothing else. True if it was not asked: then only the list counts. */
function isOllamaVersion({ apiVersion }: ServerAnswers): boolean {
	if (apiVersion === undefined) return true;
	const keys = Object.keys(bodyOf(apiVersion));
	return keys.length === 1 && keys[0] === 'version';
}

function isOllamaEntry({ id, owned_by: owner }: Record<string, unknown>): boolean {
	if (typeof id !== 'string' || typeof owner !== 'string') return false;
	return owner === 'library' || (owner !== '' && id.includes(`${owner}/`));
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

/**
 * Ollama accepts a picture for a model that cannot see (seen: 0.17.4), and the model makes something up.
 *
 * @throws {ServerError} of kind `modalityUnsupported`, before the picture is sent
 */
async function refuseUnseenPictures(
	connection: Connection,
	model: string,
	signal?: AbortSignal,
): Promise<void> {
	const path = '/api/show';
	const shown = await optionalJson(connection, path, {
		json: { model },
		timeoutMs: ASK_LIMIT_MS,
		signal,
	});
	const capabilities = Array.isArray(shown?.capabilities)
		? (shown.capabilities as unknown[])
		: undefined;
	if (capabilities === undefined || capabilities.includes('vision')) return;
	throw failure(
		'modalityUnsupported',
		connection.contextOf(connection.url.root + path, { model }),
		{
			message: `The model "${model}" cannot see pictures`,
			remedy:
				'Choose a model of Ollama that can ("ollama show NAME" lists "vision" under its capabilities), for example qwen2.5vl. Turn off passing binary images to the model if you do not need them.',
			facts: { capabilities },
		},
	);
}

/**
 * A note if the conversation was longer than the context that the model runs with; undefined if it fits, or if that is
 * unknown.
 */
async function remarkOnDroppedMessages(
	connection: Connection,
	conversation: FittedConversation,
	signal?: AbortSignal,
): Promise<string | undefined> {
	const { characters, promptTokens, contextSize = Infinity } = conversation;
	if (characters < FITS_ANYWHERE && promptTokens < contextSize) return undefined;
	const context = await contextOf(connection, conversation, signal);
	if (context === undefined) return undefined;
	if (promptTokens < context && characters <= context * MAX_CHARACTERS_PER_TOKEN) return undefined;
	return `The conversation of ${characters} characters is too long for the context of ${context} tokens that Ollama runs this model with. It read ${promptTokens} tokens and left out the oldest messages without an error. ${MORE_CONTEXT}, or keep fewer messages in the memory.`;
}

/**
 * Ollama silently cuts a single message that is longer than the context: 200, no text, "stop", and prompt tokens that
 * equal the context size (docs/protocols/ollama.md 4.1).
 */
async function explainEmptyAnswer(
	connection: Connection,
	conversation: FittedConversation,
	signal?: AbortSignal,
): Promise<ServerError | undefined> {
	const { model, promptTokens } = conversation;
	const context = await contextOf(connection, conversation, signal);
	if (context === undefined || promptTokens < context) return undefined;
	return failure('contextOverflow', connection.contextOf(connection.url.root, { model }), {
		message: `The question does not fit into the context of ${context} tokens that Ollama runs this model with. Ollama cut it off without an error, and the model answered nothing`,
		remedy: `${MORE_CONTEXT}, or shorten the input.`,
		facts: { contextTokens: context, promptTokens },
	});
}

const MORE_CONTEXT =
	'Set a larger Context Size in the options of the node, start Ollama with a larger OLLAMA_CONTEXT_LENGTH, set num_ctx in the Modelfile';

/** Context size in tokens that the model runs with. Ollama caps the requested one to what the model was trained for. */
async function contextOf(
	connection: Connection,
	{ model, contextSize }: FittedConversation,
	signal: AbortSignal | undefined,
): Promise<number | undefined> {
	const asked = { timeoutMs: ASK_LIMIT_MS, placeLimitMs: ASK_LIMIT_MS, signal };
	const running = await optionalJson(connection, '/api/ps', asked);
	const context = recordsIn(running?.models).find(
		({ name }) => typeof name === 'string' && isOllamaNamed(name, model),
	)?.context_length;
	return typeof context === 'number' && context > 0 ? context : contextSize;
}
