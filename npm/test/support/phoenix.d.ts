/** Phoenix's clients come without types. */
declare module 'phoenix'
declare module 'phoenix17'
