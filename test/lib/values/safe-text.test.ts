import fc from 'fast-check';
import { toPlainText } from '../../../lib/values/safe-text';
import { anyCodePoint } from '../../support/texts/code-points';
import type { IExecuteFunctions, INode } from 'n8n-workflow';
import { toNodeError } from '../../../lib/errors/node-error';
import { ServerError } from '../../../lib/errors/server-error';
import { concludeHealth, findingFromError } from '../../../lib/health/check-result';
import type { Finding } from '../../../lib/health/check-result';
import { addHintOnce } from '../../../lib/n8n/hints';

const serverText = fc
	.array(
		fc.oneof(
			fc.constantFrom('<a href="http://evil">', '</a>', '<img src=x>', '<!--', '<?x', '<', 'b>'),
			fc.constantFrom(
				'<|im_end|>',
				'a < b',
				'1 <2',
				'\u001b[2J',
				'\u202e',
				'\u0000',
				'\u009b',
				'\n',
			),
			fc.string({ unit: anyCodePoint, maxLength: 4 }),
		),
	)
	.map((parts) => parts.join(''));
const MARKS = /<[a-z/!?]|(?![\t\n\r])\p{Cc}|[\u202a-\u202e\u2066-\u2069]/iu;
const bare = (text: string) => text.replaceAll('\u200b', '').replace(/[^\p{L}\p{N}<>|\n]/gu, '');

test('toPlainText keeps all letters and removes tags and control characters', () => {
	fc.assert(
		fc.property(serverText, (text) => {
			const plainText = toPlainText(text);
			expect(plainText).not.toMatch(MARKS);
			expect(bare(plainText)).toBe(bare(text));
			expect(toPlainText(plainText)).toBe(plainText);
		}),
	);
});

test('errors, hints and findings that quote a server are plain text', () => {
	const node = { name: 'N', type: 't' } as INode;
	fc.assert(
		fc.property(serverText, (text) => {
			const failed = new ServerError({
				type: 'serverError',
				inputWords: { title: `No model ${text}`, suggestion: `Use one of: ${text}` },
				serverText: text,
			});
			const { message, description } = toNodeError(node, failed);
			const hints: string[] = [];
			const addExecutionHints = ({ message: hint }: { message: string }) => void hints.push(hint);
			addHintOnce({ addExecutionHints } as unknown as IExecuteFunctions, text);
			const [{ observed, detail, suggestion }] = concludeHealth([findingFromError(failed, text)])
				.findings as [Finding];
			for (const quoted of [message, description, ...hints, observed, detail, suggestion])
				expect(quoted).not.toMatch(MARKS);
		}),
	);
});
