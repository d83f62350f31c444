/** What a model must be able to do, asked before anything is sent. */
import { failure } from '../errors/failure';
import { contextOf } from '../http/failures';
import type { Props } from '../servers/kinds/kind';
import type { Asking } from './asking';
import { mediaOf } from './content';
import type { ChatMessage } from './types';

/**
 * Refuses tools that the chat template would leave out, and pictures for a model that would invent what it sees.
 *
 * @throws {ServerError} of kind `toolsUnsupported` or `modalityUnsupported`
 */
export async function requireAbilities(
	{
		server,
		kind,
		settings: { model },
		call,
	}: Pick<Asking, 'server' | 'kind' | 'settings' | 'call'>,
	messages: readonly ChatMessage[],
	props: Props | undefined,
): Promise<void> {
	const { tools = [], signal } = call;
	const context = contextOf(server, server.url.api, model);
	if (tools.length > 0 && props?.takesTools === false)
		throw failure('toolsUnsupported', context, {
			message: `This model's template has no tool support, so ${kind.label} would ignore the tools`,
			remedy: kind.words.tools,
		});
	const hasPicture = messages.some(({ content }) =>
		mediaOf(content).some(({ type }) => type === 'image'),
	);
	if (!hasPicture || (await kind.pictures?.(server, model, signal)) !== false) return;
	throw failure('modalityUnsupported', context, {
		message: `The model "${model}" cannot see pictures`,
		remedy: kind.words.remedies?.modalityUnsupported,
	});
}
