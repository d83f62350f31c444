import {
	explained,
	notANumber,
	refusedText,
	textTooLong,
	unusable,
	wrongSize,
} from '../../../lib/embeddings/failures';
import { failure } from '../../../lib/errors/failure';

const CONTEXT = { url: 'http://127.0.0.1:8080/v1/embeddings', model: 'm' };
const refusal = (kind: Parameters<typeof failure>[0], status: number, serverText: string) =>
	failure(kind, CONTEXT, { status, serverText });
const LONG = 'word '.repeat(100);

test('a text is named by its place and its first words', () => {
	const error = textTooLong(
		refusal('badRequest', 400, 'too long'),
		{ index: 2, text: LONG },
		{},
		'other',
	);
	expect(error.message).toBe('Text 3 is too long for the embedding model');
	expect(error.meaning).toContain(`"${LONG.slice(0, 80)}…"`);
	expect(error).toMatchObject({
		kind: 'contextOverflow',
		status: 400,
		serverText: 'too long',
		facts: { index: 2 },
	});
});

test('tokens and limit, as far as they are known', () => {
	const meaning = (facts: { tokens?: number; limit?: number }) =>
		textTooLong(refusal('badRequest', 400, ''), { index: 0, text: 'a' }, facts, 'other').meaning;
	expect(meaning({ tokens: 602, limit: 512 })).toMatch(/of 602 tokens .*at most 512 tokens/);
	expect(meaning({})).not.toMatch(/undefined|tokens/);
});

test('NaN keeps the kind of the refusal and says where it comes from', () => {
	const error = notANumber(refusal('serverError', 500, 'NaN'), { index: 0, text: 'a' });
	expect(error).toMatchObject({
		kind: 'serverError',
		message: 'The vector of text 1 holds no numbers',
	});
	expect(error.remedy).toContain('num_gpu 0');
});

test('a text that is not sent, with what to do about empty ones', () => {
	expect(refusedText(4, 'is empty')).toMatchObject({
		kind: 'invalidInput',
		message: 'Text 5 is empty',
	});
	expect(refusedText(4, 'is empty').remedy).toContain('Blank Texts');
});

test('an answer that cannot be used: with the text where one is at fault', () => {
	expect(
		unusable({ fault: 'a vector is empty', index: 1 }, CONTEXT, { index: 7, text: 'cat' }),
	).toMatchObject({
		kind: 'invalidAnswer',
		meaning: expect.stringContaining('(text 8: "cat")') as string,
		facts: { index: 7 },
	});
	expect(unusable({ fault: 'the answer holds no embeddings' }, CONTEXT).remedy).toContain(
		'Base URL',
	);
});

test('another size names the option that says so', () => {
	const { meaning } = wrongSize(CONTEXT, {
		model: 'm',
		length: 384,
		expected: 768,
		option: 'Expected Dimensions',
	});
	expect(meaning).toMatch(/384 numbers, not of 768 as the option Expected Dimensions says/);
});

describe('a refusal, with what the server lacks', () => {
	test('llama-server on a generative model: pooling none', () => {
		const text = "Pooling type 'none' is not OAI compatible. Please use a different pooling type";
		expect(
			explained(refusal('badRequest', 400, text), { kind: 'llamaServer', model: 'm' }),
		).toMatchObject({
			kind: 'notSupported',
			remedy: expect.stringContaining('--pooling') as string,
		});
	});

	test('llama-server without --embeddings', () => {
		const off = explained(
			refusal('notSupported', 501, 'This server does not support embeddings.'),
			{
				kind: 'llamaServer',
				model: 'm',
			},
		);
		expect(off).toMatchObject({ message: 'The server was not started for embeddings' });
		expect(off.remedy).toContain('--embeddings');
	});

	test('Ollama with a chat model: 501 with the words of the llama-server that it started', () => {
		const text = 'This server does not support embeddings. Start it with `--embeddings`';
		const failed = explained(refusal('notSupported', 501, text), {
			kind: 'ollama',
			model: 'qwen3:8b',
		});
		expect(failed).toMatchObject({
			kind: 'wrongModelType',
			message: 'The model "qwen3:8b" is not made for embeddings',
			remedy:
				'Choose a model that is. Fetch an embedding model, for example: ollama pull nomic-embed-text',
		});
	});

	test('a server of no known kind may be a gateway to several: the model is at fault', () => {
		const failed = explained(
			refusal('notSupported', 501, 'This server does not support embeddings.'),
			{
				kind: 'other',
				model: 'chat',
			},
		);
		expect(failed.message).toBe('The model "chat" is not made for embeddings');
		expect(failed.remedy).toContain('--embeddings');
	});

	test('Ollama without the model; any other refusal stays as it is', () => {
		const missing = explained(refusal('modelNotFound', 404, 'model "m" not found'), {
			kind: 'ollama',
			model: 'm',
		});
		expect(missing.remedy).toContain('ollama pull m');
		const other = refusal('serverError', 500, 'boom');
		expect(explained(other, { kind: 'ollama', model: 'm' })).toBe(other);
	});
});
