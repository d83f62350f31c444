/** Sentences of servers, and what is read of each: the title, the counts, the type, and whether it says anything. */
import path from 'node:path';
import { isWholeMessage, toTitle } from '../../../lib/errors/message-title';
import { parseRetryAfter } from '../../../lib/errors/retry-after';
import { isStatusPhrase } from '../../../lib/errors/status-phrase';
import { findTokenCounts } from '../../../lib/errors/token-counts';
import { findTypeByWords } from '../../../lib/errors/words';
import { applyToTexts, expectApproved } from '../../support/approved/approved-table';

const SENTENCES = [
	'A sentence',
	'A sentence. Another one.',
	'A sentence.\nAnother line',
	'A paragraph\n\nAnother one',
	'Version 2.5 is too old. Update it.',
	'e.g. this is one sentence',
	'错误。第二句。',
	'Internal Server Error',
	'internal error',
	'500 Internal Server Error',
	'Bad Request: the field is wrong',
	'Error: the field is wrong',
	'error',
	'ValueError: the field is wrong',
	"openai.BadRequestError: Error code: 400 - {'error': {'message': \"It's wrong\", 'type': None}}",
	'litellm.RateLimitError: RateLimitError: OpenAIException - Slow down. Received Model Group=a\nAvailable Model Group Fallbacks=None',
	'litellm.APIConnectionError: Ollama_chatException - {"error":"model \'x\' not found"}',
	'Traceback (most recent call last):\n  File "/opt/a.py", line 5, in f\n    g()\nKeyError: \'a\'',
	'Traceback (most recent call last):\n  File "/opt/a.py", line 5',
	'1 validation error for ChatRequest\nmessages\n  Field required [type=missing, input_value={}, input_type=dict]',
	"[{'type': 'missing', 'loc': ('body', 'model'), 'msg': 'Field required', 'input': {}}]",
	'Cannot connect to http://10.0.0.5:8000/v1/chat at 10.0.0.5:8000',
	'Cannot open /models/secret/qwen3.gguf',
	'<b>Bold</b> text',
	'the template failed at line 5: {{ raise_exception("Roles must alternate") }}',
	'sampling error: ',
	'   ',
	'x'.repeat(1_200),
	'The model `qwen3` does not exist.',
	'Unsupported value: "top_k" (received: 5)',
	'request (9,000 tokens) exceeds the available context size (8,192 tokens), try increasing it',
	"This model's maximum context length is 8192 tokens. However, you requested 9000 tokens (8000 in the messages, 1000 in the completion).",
	'The prompt has 9000 tokens, and the limit is 8192',
	"'max_tokens' is too large: 5000. This model supports 4096 - 3000 = 1096 more",
	'input is too large to process. increase the physical batch size (current batch size: 512)',
	'prompt too long: 9000 > 8192',
	'Rate limit exceeded: 5 per 1 minute',
	'You exceeded your current quota',
	'Loading model',
	'CUDA error: out of memory',
	'llama runner process has terminated: exit status 2',
	'model requires more system memory (9.0 GiB) than is available (4.0 GiB)',
	'does not support tools',
	'this model does not support image input',
	'Failed to parse input at pos 10',
	'unexpected end of JSON input',
	'Authentication Error, Invalid proxy server token passed',
	'Budget has been exceeded! Current cost: 5, Max budget: 4',
];

const PAUSES = [
	'5',
	'0',
	'1.5',
	'-5',
	'soon',
	'',
	'Sun, 29 Nov 2026 12:00:10 GMT',
	'Sun, 29 Nov 2020 12:00:00 GMT',
	'120 s',
	'1e3',
];

const NOW = Date.parse('Sun, 29 Nov 2026 12:00:00 GMT');

test('each sentence has its title and its facts', () => {
	const functions = {
		title: toTitle,
		whole: (text: string) => isWholeMessage(toTitle(text), text),
		phrase: isStatusPhrase,
		counts: (text: string) => findTokenCounts(text),
		'type at 400': (text: string) => findTypeByWords(text, 400),
		'type at 500': (text: string) => findTypeByWords(text, 500),
		'type at 503': (text: string) => findTypeByWords(text, 503),
	};
	const rows = [
		...applyToTexts(functions, SENTENCES),
		...applyToTexts({ pause: (text) => String(parseRetryAfter(text, NOW)) }, PAUSES),
	];
	const shorten = (text: string) => text.replace(/x{20,}/g, (run) => `(${String(run.length)})`);
	expectApproved(
		path.join(__dirname, 'message-title.sentences.approved.txt'),
		rows.map(({ input, outcome }) => ({
			input: shorten(input),
			outcome: shorten(typeof outcome === 'string' ? outcome : JSON.stringify(outcome)),
		})),
		"The title of an error is the server's first sentence that says something",
	);
});
