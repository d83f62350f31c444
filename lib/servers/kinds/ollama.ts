import { failure } from '../../errors/failure';
import { looksLikeHtml } from '../../errors/exchange';
import type { Connection } from '../../http/connection';
import { isRecord } from '../../values';
import { isNamed } from '../model-names';
import { entries, optionalJson } from '../optional-json';
import { bodyOf, entriesOf, textIn } from './evidence';
import type { ServerAnswers, ServerTraits } from './kind';
import { other } from './other';

const ASK_LIMIT_MS = 5_000;
/** Shorter conversations fit into the smallest context that anybody sets. */
const FITS_ANYWHERE = 6_000;
/**
 * Prose has four to five characters in a token, code and other scripts fewer: what is longer than this does not fit.
 */
const MAX_CHARACTERS_PER_TOKEN = 5;

/**
 * Ollama (docs/protocols/llama-server.md 8.2). Many servers answer `/api/version`, some in Ollama's very words because
 * they imitate its API (LocalAI, Lemonade, KoboldCpp, Open WebUI). Only Ollama's own list of models names as owner
 * `library`, or the namespace that is part of the model's name.
 */
export const ollama: ServerTraits = {
	...other,
	label: 'Ollama',
	isIt: (answers) => {
		const models = entriesOf(answers);
		if (models !== undefined && models.length > 0) return models.every(isOllamaEntry) && isOllamaVersion(answers);
		return answers.apiVersion !== undefined && isOllamaVersion(answers) && mayHaveNoModels(answers);
	},
	version: (answers) => textIn(answers, 'apiVersion', 'version'),
	extraFields: [],
	takesUnlimited: true,
	grammar: undefined,
	thinkingSwitch: 'effort',
	thinkingBudget: false,
	toolChoice: 'ignored',
	reasoningFields: ['reasoning'],
	// Seen with 0.17.4: only gpt-oss knows efforts, no model knows this one, and some do not think.
	refusals: [
		...(other.refusals ?? []),
		{
			says: /think value .* is not supported for this model/i,
			then: 'withoutThinkingSetting',
			note: 'This model of Ollama thinks or does not, so the thinking effort was left out.',
		},
		{
			says: /invalid reasoning value: 'minimal'/i,
			then: 'lowThinkingEffort',
			note: 'This Ollama does not know the thinking effort "minimal", so it was asked for "low".',
		},
		{
			says: /does not support thinking/i,
			then: 'withoutThinkingSetting',
			note: 'This model does not think, so the thinking effort was left out.',
		},
	],
	wantsNoKey: true,
	reranks: false,
	nativeApi: 'ollama',
	toolParserAdvice: () =>
		'Give the model a TEMPLATE with {{ .Tools }} in its Modelfile, or take a model from ollama.com that lists "tools" under its capabilities (ollama show NAME).',
	advice: {
		noModels: 'Fetch one with: ollama pull qwen3:8b',
		missingModel: (model) => `fetch it: ollama pull ${model}`,
		embeddingsOff: 'Fetch an embedding model, for example: ollama pull nomic-embed-text',
		rerankOff: 'Ollama has no rerank route. Use llama-server with --rerank and a reranker model, vLLM or GPUStack.',
		moreContext: (tokens) =>
			`Start Ollama with OLLAMA_CONTEXT_LENGTH=${tokens}, or set num_ctx in the Modelfile; its OpenAI routes cannot ask for more.`,
	},
	refuseUnseenPictures,
	remarkOnDroppedMessages,
	// Seen with 0.17.4: where its runner dies, the cause is in Ollama's log only.
	cutStreamRemedy:
		'Ollama ends a stream like this when the process that runs the model has failed, and does not pass the cause on. Its log tells the cause (ollama serve, journalctl -u ollama, docker logs). Most often there is not enough memory. What had arrived is in the details.',
};

/** `{"version":"…"}` and nothing else. Where it was not asked, the list alone must do. */
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
 * Ollama without models writes null for the list; without OpenAI's routes at this path it answers 404 in plain text.
 */
function mayHaveNoModels({ models }: ServerAnswers): boolean {
	if (models === undefined) return true;
	if (models.status < 300) return isRecord(models.json) && models.json.data === null;
	return models.json === undefined && !looksLikeHtml(models.text, models.headers['content-type']);
}

/**
 * Ollama gives a picture to a model that cannot see without a word (seen: 0.17.4), and the model makes something up.
 *
 * @throws {ServerError} of kind `modalityUnsupported`, before anything is sent
 */
async function refuseUnseenPictures(connection: Connection, model: string, signal?: AbortSignal): Promise<void> {
	const path = '/api/show';
	const shown = await optionalJson(connection, path, { json: { model }, timeoutMs: ASK_LIMIT_MS, signal });
	const capabilities = Array.isArray(shown?.capabilities) ? (shown.capabilities as unknown[]) : undefined;
	if (capabilities === undefined || capabilities.includes('vision')) return;
	throw failure('modalityUnsupported', connection.contextOf(connection.url.root + path, { model }), {
		message: `The model "${model}" cannot see pictures`,
		remedy:
			'Choose a model of Ollama that can ("ollama show NAME" lists "vision" under its capabilities), for example qwen2.5vl. Turn off passing binary images to the model if you do not need them.',
		facts: { capabilities },
	});
}

/**
 * A remark where the conversation was longer than the context that the model runs with; undefined where it fits, or
 * where nobody can tell.
 */
async function remarkOnDroppedMessages(
	connection: Connection,
	{ model, characters, promptTokens }: { model: string; characters: number; promptTokens: number },
	signal?: AbortSignal,
): Promise<string | undefined> {
	if (characters < FITS_ANYWHERE) return undefined;
	const running = await optionalJson(connection, '/api/ps', { timeoutMs: ASK_LIMIT_MS, signal });
	const context = entries(running?.models).find(
		({ name }) => typeof name === 'string' && isNamed(name, model),
	)?.context_length;
	if (typeof context !== 'number' || context <= 0) return undefined;
	if (promptTokens < context && characters <= context * MAX_CHARACTERS_PER_TOKEN) return undefined;
	return `The conversation of ${characters} characters is too long for the context of ${context} tokens that Ollama runs this model with. It read ${promptTokens} tokens and left out the oldest messages without an error. Start Ollama with a larger OLLAMA_CONTEXT_LENGTH, set num_ctx in the Modelfile, or keep fewer messages in the memory.`;
}
