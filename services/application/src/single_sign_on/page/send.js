// Sends the page's form on to the identity provider.
document.forms[0].submit();
