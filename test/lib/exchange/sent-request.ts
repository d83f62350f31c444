import type { SentRequest } from '../../../lib/exchange/named-fields';
import type { JsonRecord } from '../../../lib/values/records';
import { collectTexts } from '../../../lib/values/text';

/** A request whose texts are all those of others, but for the name of its model. */
export function toSentRequest(body: JsonRecord): SentRequest {
	const { model: _model, ...fields } = body;
	return { body, textsOfOthers: collectTexts(fields) };
}
