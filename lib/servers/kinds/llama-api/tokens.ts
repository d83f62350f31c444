/** Tokens by llama-server's routes (docs/protocols/llama-server.md 2.7). */
import { type ServerError, throwAs } from '../../../errors/server-error';
import type { Connection } from '../../../http/connection';
import { finiteNumber, type JsonRecord, plainNumber, recordOf, text } from '../../../values';
import type { TokenAbilities, TokenizeOptions } from '../model-abilities';
import { onlyModel } from '../../model-names';
import { offeredModels } from '../../offered-models';
import { tokensIn } from '../token-lists';
import type { ModelQuestion } from '../work';
import { type Addressing, LlamaRoutes, ONE_MODEL } from './routes';

/** An empty model is the one that is loaded, or the only one, as in chats. */
async function routesFor(
	connection: Connection,
	addressing: Addressing,
	ask: ModelQuestion,
	what: string,
): Promise<LlamaRoutes> {
	const { needsModel } = addressing;
	const context = connection.contextOf(`${connection.url.api}/models`);
	const model =
		needsModel && ask.model.trim() === ''
			? onlyModel(await offeredModels(connection, ask), context)
			: ask.model;
	return new LlamaRoutes(connection, addressing, { ...ask, model }, what);
}

type ExtraFields = (text: string, ask: TokenizeOptions) => JsonRecord;

/** @param extraFields further fields of a request to tokenize */
export function tokensOf(
	addressing: Addressing,
	extraFields: ExtraFields = () => ({}),
): Required<Omit<TokenAbilities, 'areOfOneModel'>> {
	return {
		async tokenize(connection, content, ask) {
			const routes = await routesFor(connection, addressing, ask, 'route for tokens');
			const { json } = await routes.post('/tokenize', {
				content,
				add_special: ask.addSpecial,
				parse_special: ask.parseSpecial,
				...(ask.withPieces ? { with_pieces: true } : {}),
				...extraFields(content, ask),
			});
			return tokensIn(json, ask.withPieces) ?? { count: plainNumber(recordOf(json).count) };
		},

		async detokenize(connection, tokens, ask) {
			const routes = await routesFor(connection, addressing, ask, 'route for tokens');
			const asking = routes.post('/detokenize', { tokens });
			const { json } = await asking.catch(throwAs((error) => unknownToken(error, tokens)));
			// vLLM behind an unknown gateway, and others.
			const { content, prompt = content, text: whole = prompt } = recordOf(json);
			return text(whole);
		},

		async countPrompt(connection, chat, ask) {
			const what = 'route that counts the tokens of a conversation';
			const routes = await routesFor(connection, addressing, ask, what);
			const { json } = await routes.post('/v1/chat/completions/input_tokens', chat);
			return finiteNumber(recordOf(json).input_tokens);
		},

		async applyTemplate(connection, chat, ask) {
			const what = 'route that applies a chat template';
			const routes = await routesFor(connection, addressing, ask, what);
			const { json } = await routes.post('/apply-template', chat);
			return text(recordOf(json).prompt);
		},
	};
}

/** An unknown server may also be a gateway in front of vLLM, whose fields have other names. */
export const tokensOfUnknown = tokensOf(ONE_MODEL, (prompt, { addSpecial }) => ({
	prompt,
	add_special_tokens: addSpecial,
}));

/**
 * Another error if the server's text is that of the C++ library for a number outside the vocabulary: GNU's gives details,
 * LLVM's is one word.
 */
function unknownToken(error: ServerError, tokens: readonly number[]): ServerError {
	const { serverText = '' } = error;
	if (!/_M_range_check|^vector$|out of range|invalid token/i.test(serverText)) return error;
	const [, token] = /which is (\d+)\) >=/.exec(serverText) ?? [];
	const [, size] = /size\(\) \(which is (\d+)\)/.exec(serverText) ?? [];
	const which = token === undefined ? 'One of the numbers' : `The number ${token}`;
	const most = size === undefined ? '' : `, whose last one is ${Number(size) - 1}`;
	return error.reworded({
		kind: 'badRequest',
		message: `${which} is not a token of this model`,
		meaning: `${which} is not a token of this model${most}`,
		remedy:
			'Every model has tokens of its own: turn them into text with the model that they came from.',
		facts: { tokens: tokens.length },
	});
}
