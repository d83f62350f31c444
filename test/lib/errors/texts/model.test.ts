import { MODEL_ERROR_TEXTS } from '../../../../lib/errors/texts/model';

describe('texts of model server errors', () => {
	test('numbers from the server message are in the title', () => {
		expect(MODEL_ERROR_TEXTS.promptTooLong({ promptTokens: 9000, contextTokens: 4096 }).title).toBe(
			'The prompt needs 9000 tokens, but a server slot has 4096',
		);
		// One number alone is not useful.
		expect(MODEL_ERROR_TEXTS.promptTooLong({ promptTokens: 9000 }).title).not.toContain('9000');
		expect(MODEL_ERROR_TEXTS.modelLoading({ timeoutMs: 90_000 }).title).toBe(
			'The model is still loading after 90 s',
		);
	});

	test('a missing key and a wrong key have different titles', () => {
		expect(MODEL_ERROR_TEXTS.unauthorized({ isKeyMissing: true }).title).toContain(
			'the credential has none',
		);
		expect(MODEL_ERROR_TEXTS.unauthorized({}).title).toBe('The server rejected the API key');
	});

	test('the suggestion for a rejected key mentions gateways', () => {
		const { suggestion } = MODEL_ERROR_TEXTS.unauthorized({});
		expect(suggestion).toContain('A gateway may have a wrong key itself');
		expect(MODEL_ERROR_TEXTS.unauthorized({ isKeyMissing: true }).suggestion).not.toContain(
			'gateway',
		);
	});

	test('a missing route: the suggestion replaces a Base URL only if it has a path', () => {
		const withPath = { root: 'http://h:8080/chat', typed: 'http://h:8080/chat' };
		const replaced = MODEL_ERROR_TEXTS.routeNotFound(withPath).suggestion;
		expect(replaced).toMatch(
			/^If other requests to this Base URL work, the server does not have this endpoint\. /,
		);
		expect(replaced).toContain('for example http://h:8080: ');
		const plain = { root: 'http://h:8080', typed: 'http://h:8080', url: 'http://h:8080/v1/chat' };
		expect(MODEL_ERROR_TEXTS.routeNotFound(plain).suggestion).toContain(
			'This server has no chat endpoint',
		);
		expect(MODEL_ERROR_TEXTS.routeNotFound(plain).suggestion).toContain('Open WebUI: /api');
		expect(MODEL_ERROR_TEXTS.routeNotFound({}).suggestion).toContain(
			'enter only the server address:',
		);
		const list = { ...plain, url: 'http://h:8080/v1/models' };
		expect(MODEL_ERROR_TEXTS.routeNotFound(list).title).toContain('no model list');
		expect(MODEL_ERROR_TEXTS.routeNotFound(list).suggestion).toMatch(
			/^A custom server may have no model list: enter the model name/,
		);
	});

	test('a path to which a proxy added a slash: the suggestion names the redirect', () => {
		for (const typed of ['http://h:8080', 'http://h:8080/chat'])
			for (const route of ['models', 'chat/completions'])
				expect(
					MODEL_ERROR_TEXTS.routeNotFound({ typed, url: `http://h:8080/v1/${route}/` }).suggestion,
				).toContain('redirect added a slash');
	});

	test('a response of only thinking: the suggestion raises the token limit only if it was reached', () => {
		expect(MODEL_ERROR_TEXTS.onlyThinking({ maxTokens: 512 }).suggestion).toContain(
			'Raise Maximum Tokens (now 512)',
		);
		expect(
			MODEL_ERROR_TEXTS.onlyThinking({ hasModelEnded: true, maxTokens: 512 }).suggestion,
		).not.toContain('Maximum Tokens');
	});

	test('the title names the unsupported input, or images and audio if it is unknown', () => {
		expect(MODEL_ERROR_TEXTS.modalityUnsupported({ modality: 'audio' }).title).toBe(
			'The server does not support audio input',
		);
		expect(MODEL_ERROR_TEXTS.modalityUnsupported({}).title).toContain('image or audio input');
	});

	test('a truncated tool call: the detail names the tool and the token limit', () => {
		expect(MODEL_ERROR_TEXTS.toolCallTruncated({ tool: 'search', maxTokens: 64 }).detail).toContain(
			'the tool "search" when the token limit of 64 was reached',
		);
	});

	test('an empty 403 response: the suggestion is for Ollama', () => {
		expect(MODEL_ERROR_TEXTS.forbidden({ isEmpty: true }).suggestion).toContain(
			'OLLAMA_HOST=0.0.0.0',
		);
		expect(MODEL_ERROR_TEXTS.forbidden({}).suggestion).not.toContain('Ollama');
	});
});
