import type { AnswerSource } from '../../../lib/chat/client';
import type { ResponseFormat, FinishedAnswer } from '../../../lib/chat/types';
import type { ServerError } from '../../../lib/errors/server-error';
import { CheckedAnswers } from '../../../lib/text/checked-answers';

const PERSON: ResponseFormat = {
	type: 'jsonSchema',
	schema: { type: 'object', properties: { age: { type: 'integer' } }, required: ['age'] },
};
const BROKEN: ResponseFormat = {
	type: 'jsonSchema',
	schema: { type: 'object', $ref: '#/nowhere' },
};

function answering(text: string, answer: Partial<FinishedAnswer> = {}): AnswerSource {
	return {
		async *generate() {
			yield* text;
			return {
				text,
				reasoning: '',
				finishReason: 'stop',
				toolCalls: [],
				notes: [],
				url: 'http://s/v1',
				...answer,
			} as never;
		},
	};
}

async function read(
	source: AnswerSource,
): Promise<{ typed: string; answer?: FinishedAnswer; error?: ServerError }> {
	const pieces = source.generate({ messages: [] });
	let typed = '';
	try {
		for (;;) {
			const step = await pieces.next();
			if (step.done === true) return { typed, answer: step.value };
			typed += step.value;
		}
	} catch (error) {
		return { typed, error: error as ServerError };
	}
}

describe('answers for which JSON was asked', () => {
	it('one that fits passes as it is', async () => {
		const { typed, answer } = await read(new CheckedAnswers(answering('{ "age": 3 }'), PERSON));
		expect([typed, answer!.text]).toEqual(['{ "age": 3 }', '{ "age": 3 }']);
	});

	it.each([
		['another type', '{"age": "three"}', 'age: '],
		['a missing field', '{}', 'age'],
		['no object', '[1]', 'The answer: '],
		['words', 'I am three.', 'it is not JSON'],
	])(
		'%s is an error at the end of the stream, with the text and what to do',
		async (_name, text, fault) => {
			const { typed, error } = await read(new CheckedAnswers(answering(text), PERSON));
			expect(typed).toBe(text);
			expect(error).toMatchObject({ kind: 'invalidAnswer', partialText: text });
			expect(error!.message).toBe('The answer is not the JSON that was asked for');
			expect(error!.meaning).toContain(fault);
			expect(error!.remedy).toContain('a server that enforces the schema');
			expect(error!.remedy).not.toContain('Extract');
		},
	);

	it('one that the token limit cut off says so', async () => {
		const { error } = await read(
			new CheckedAnswers(answering('{"age": ', { finishReason: 'length' }), PERSON),
		);
		expect(error!.message).toBe('The token limit cut off the JSON');
		expect(error!.remedy).toContain('Maximum Tokens');
	});

	it.each(['```json\n{"age": 3}\n```', 'Here it is: {"age": 3}. Anything else?'])(
		'%j is read without a streaming reader',
		async (text) => {
			const { answer } = await read(new CheckedAnswers(answering(text), PERSON));
			expect(answer!.text).toBe('{"age": 3}');
		},
	);

	it('a JSON object must be one', async () => {
		const json: ResponseFormat = { type: 'jsonObject' };
		expect((await read(new CheckedAnswers(answering('{"a": 1}'), json))).answer!.text).toBe(
			'{"a": 1}',
		);
		expect((await read(new CheckedAnswers(answering('"a"'), json))).error!.meaning).toContain(
			'it is not a JSON object',
		);
	});

	it('a broken schema is told as such', async () => {
		const { error } = await read(new CheckedAnswers(answering('{"age": 3}'), BROKEN));
		expect(error).toMatchObject({
			kind: 'invalidInput',
			message: 'The JSON schema cannot be used',
		});
	});

	it('the call of a tool is no answer', async () => {
		const toolCalls = [{ id: '1', name: 'get_time', arguments: '{}' }] as never;
		const { answer } = await read(new CheckedAnswers(answering('', { toolCalls }), PERSON));
		expect(answer!.toolCalls).toBe(toolCalls);
	});

	it.each([undefined, { type: 'text' }, { type: 'grammar', grammar: 'root ::= "a"' }] as const)(
		'nothing is asked of a text: %j',
		async (format) => {
			expect((await read(new CheckedAnswers(answering('words'), format))).answer!.text).toBe(
				'words',
			);
		},
	);

	it('a reader that stops ends the source', async () => {
		let ended = false;
		const source: AnswerSource = {
			async *generate() {
				try {
					yield 'a';
					yield 'b';
					return {} as never;
				} finally {
					ended = true;
				}
			},
		};
		const pieces = new CheckedAnswers(source, PERSON).generate({ messages: [] });
		await pieces.next();
		await pieces.return(undefined as never);
		expect(ended).toBe(true);
	});
});

it('keeps the pace of its source, so that pieces are held back once only', () => {
	const source = answering('fine');
	expect(new CheckedAnswers(source, undefined).keepsPace).toBe(false);
	expect(new CheckedAnswers({ ...source, keepsPace: true }, undefined).keepsPace).toBe(true);
});
