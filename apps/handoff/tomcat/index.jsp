<%@ page contentType="text/plain; charset=utf-8" trimDirectiveWhitespaces="true"
%><%!
    static String told(jakarta.servlet.http.HttpServletRequest request, String name) throws java.io.IOException {
        String value = request.getHeader(name);
        return value == null ? "" : new String(value.getBytes("ISO-8859-1"), "UTF-8");
    }
%>user=<%= told(request, "X-Remote-User") %>
type=<%= told(request, "X-Auth-Type") %>
groups=<%= told(request, "X-Remote-Groups") %>
mail=<%= told(request, "X-Remote-Mail") %>
theme=<%= told(request, "X-Theme") %>
--
client=<%= request.getRemoteAddr() %> scheme=<%= request.getScheme() %> visits=<%
    Integer visits = (Integer) session.getAttribute("visits");
    visits = visits == null ? 1 : visits + 1;
    session.setAttribute("visits", visits);
    out.println(visits);
    for (String name : java.util.Collections.list(request.getHeaderNames()))
        out.println(name + ": " + java.util.Collections.list(request.getHeaders(name)));
%>
