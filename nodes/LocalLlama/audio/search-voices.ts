import { listVoices } from '../../../lib/media/voices';
import { listSearch } from '../../shared/search-models';
import { atAnyServer } from '../../../lib/servers/manage/any-server';

/** Voices of the server for the list in the editor, of the chosen model if there is one. */
export const searchVoices = listSearch(async (servers, searchText, context) => {
	const model = context.getCurrentNodeParameter('model', { extractValue: true });
	const ofModel = typeof model === 'string' ? model.trim() : '';
	const voices = await atAnyServer(
		{ servers },
		ofModel,
		async (connection, ask) => await listVoices(connection, ask.model),
	);
	return voices
		.map(({ id, name, more: { language } }) => ({
			name: [name, ...(typeof language === 'string' ? [`(${language})`] : [])].join(' '),
			value: id,
		}))
		.filter((voice) => voice.name.toLowerCase().includes(searchText));
});
