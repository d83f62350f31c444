/**
 * Answers that the scripted llama-server cannot give: tool calls with invalid JSON as arguments, interleaved tool calls as
 * other servers send them, and an answer about a picture. Each in the formats of Chat Completions, the Responses API and
 * Ollama.
 */

/** @typedef {import('./types').Dialect} Dialect */
/** @typedef {{ text: string } | { call: number, name: string } | { call: number, args: string }} Piece */

/** @param {number} index */
const callId = (index) => `call_${index}`;

/** @param {object} json */
const event = (json) => `data: ${JSON.stringify(json)}\n\n`;

/** @param {Piece[]} pieces */
const chatCompletions = (pieces) => {
	const head = {
		id: 'chatcmpl-1',
		object: 'chat.completion.chunk',
		created: 1,
		model: 'test-model',
	};
	/** @param {object} delta */
	const chunk = (delta, finish = /** @type {string | null} */ (null)) =>
		event({ ...head, choices: [{ index: 0, delta, finish_reason: finish }] });
	return [
		chunk({ role: 'assistant', content: null }),
		...pieces.map((piece) => {
			if ('text' in piece) return chunk({ content: piece.text });
			if ('name' in piece) {
				return chunk({
					tool_calls: [
						{
							index: piece.call,
							id: callId(piece.call),
							type: 'function',
							function: { name: piece.name, arguments: '' },
						},
					],
				});
			}
			return chunk({ tool_calls: [{ index: piece.call, function: { arguments: piece.args } }] });
		}),
		chunk({}, pieces.some((piece) => 'call' in piece) ? 'tool_calls' : 'stop'),
		event({
			...head,
			choices: [],
			usage: { prompt_tokens: 10, completion_tokens: 10, total_tokens: 20 },
		}),
		'data: [DONE]\n\n',
	];
};

/** @param {Piece[]} pieces */
const responses = (pieces) => {
	const texts = pieces.flatMap((piece) => ('text' in piece ? [piece.text] : []));
	const names = pieces.flatMap((piece) => ('name' in piece ? [piece] : []));
	/** @param {number} call */
	const argsOf = (call) =>
		pieces
			.flatMap((piece) => ('args' in piece && piece.call === call ? [piece.args] : []))
			.join('');
	/** @param {{ call: number, name: string }} piece */
	const callItem = ({ call, name }, args = '', status = 'in_progress') => ({
		...{
			type: 'function_call',
			id: `fc_${call}`,
			call_id: callId(call),
			name,
			arguments: args,
			status,
		},
	});
	const message = (/** @type {string} */ text) => ({
		...{
			type: 'message',
			id: 'msg_1',
			role: 'assistant',
			status: 'completed',
			content: [{ type: 'output_text', text, annotations: [] }],
		},
	});
	/** @param {object} more */
	const response = (more) => ({
		id: 'resp_1',
		object: 'response',
		created_at: 1,
		model: 'test-model',
		parallel_tool_calls: true,
		...more,
	});
	/** @type {Array<{ type: string, [field: string]: unknown }>} */
	const events = [
		{ type: 'response.created', response: response({ status: 'in_progress', output: [] }) },
	];
	if (texts.length > 0)
		events.push({
			type: 'response.output_item.added',
			output_index: 0,
			item: { ...message(''), content: [], status: 'in_progress' },
		});
	for (const piece of pieces) {
		if ('text' in piece)
			events.push({
				type: 'response.output_text.delta',
				output_index: 0,
				content_index: 0,
				item_id: 'msg_1',
				delta: piece.text,
			});
		else if ('name' in piece)
			events.push({
				type: 'response.output_item.added',
				output_index: piece.call,
				item: callItem(piece),
			});
		else
			events.push({
				type: 'response.function_call_arguments.delta',
				output_index: piece.call,
				item_id: `fc_${piece.call}`,
				delta: piece.args,
			});
	}
	const items = [
		...(texts.length > 0 ? [message(texts.join(''))] : []),
		...names.map((piece) => callItem(piece, argsOf(piece.call), 'completed')),
	];
	items.forEach((item, index) => {
		if (item.type === 'function_call')
			events.push({
				type: 'response.function_call_arguments.done',
				output_index: index,
				item_id: item.id,
				arguments: argsOf(index),
			});
		events.push({ type: 'response.output_item.done', output_index: index, item });
	});
	const usage = { input_tokens: 10, output_tokens: 10, total_tokens: 20 };
	events.push({
		type: 'response.completed',
		response: response({ status: 'completed', output: items, usage }),
	});
	return events.map(
		(one, index) => `event: ${one.type}\n${event({ ...one, sequence_number: index })}`,
	);
};

/** @param {string} text */
const ollama = (text) => [
	`${JSON.stringify({ model: 'test-model', message: { role: 'assistant', content: text }, done: false })}\n`,
	`${JSON.stringify({ model: 'test-model', message: { role: 'assistant', content: '' }, done: true, done_reason: 'stop', prompt_eval_count: 10, eval_count: 10 })}\n`,
];

/**
 * A server that always answers with this text.
 *
 * @param {string} text
 * @returns {import('./types').Faults['answer']}
 */
export const says = (text) => (body, dialect) => {
	if (dialect === 'ollama') return ollama(text);
	if (body.stream === true)
		return dialect === 'responses' ? responses([{ text }]) : chatCompletions([{ text }]);
	const content = [{ type: 'output_text', text, annotations: [] }];
	const whole =
		dialect === 'responses'
			? {
					id: 'resp_1',
					object: 'response',
					created_at: 1,
					model: 'test-model',
					status: 'completed',
					output: [{ type: 'message', id: 'msg_1', role: 'assistant', content }],
				}
			: {
					id: 'chatcmpl-1',
					object: 'chat.completion',
					created: 1,
					model: 'test-model',
					choices: [
						{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' },
					],
				};
	return [JSON.stringify(whole)];
};

/**
 * @param {any} body
 * @returns {boolean} whether the request contains tool results
 */
const hasToolResults = ({ messages, input }) =>
	messages?.at(-1)?.role === 'tool' || input?.at?.(-1)?.type === 'function_call_output';

/**
 * A server that calls tools with these pieces, and answers their results with `closing`.
 *
 * @param {Piece[]} calls
 * @param {string} closing
 * @returns {import('./types').Faults['answer']}
 */
export const callsThen = (calls, closing) => (body, dialect) => {
	const pieces = hasToolResults(body) ? [{ text: closing }] : calls;
	return dialect === 'responses' ? responses(pieces) : chatCompletions(pieces);
};
